import { throttle } from '@sidekit/core';
import { membership } from '../options/network.ts';
import type { ListenerOptions } from '../options/table.ts';
import { ProxyGate } from '../proxy-protocol/gate.ts';
import type { Environment } from './configuration.ts';

/** Builds the gate of a listener that requires the PROXY protocol; refusals are counted and logged. */
export function proxyGate(
  { name, proxyProtocol }: ListenerOptions,
  { gateRefusals, log }: Environment,
): ProxyGate | undefined {
  if (proxyProtocol.length === 0) return undefined;
  let last: Record<string, unknown> = {};
  const warn = throttle(10_000, (suppressed) =>
    log.warn('connection refused', {
      event: 'proxy_protocol_refused',
      listener: name,
      ...last,
      ...(suppressed > 0 ? { suppressed } : {}),
    }),
  );
  return new ProxyGate(membership(proxyProtocol), (cause, reason, peer) => {
    gateRefusals.with({ listener: name, cause }).inc();
    last = { reason, peer };
    warn();
  });
}
