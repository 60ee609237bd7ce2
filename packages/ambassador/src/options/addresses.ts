import { type Address, formatAddress, type Report } from '@sidekit/core';
import type { UpstreamOption } from './upstream.ts';

/** A listener as far as its addresses are concerned. */
interface Addressed {
  readonly listen: Address | undefined;
  readonly upstream: readonly UpstreamOption[];
}

/** The listeners with the names under which faults are reported, such as `--` or `listeners[0].`. */
export interface Addresses {
  readonly listeners: readonly Addressed[];
  readonly prefix: (index: number) => string;
  readonly admin: Address;
  /** The declared port of the container that Services lead to. */
  readonly exposed: number | undefined;
}

/**
 * Reports addresses that cannot work together: an upstream that is its own listener, two listeners
 * of one address, and Services that would bypass all listeners.
 */
export function checkAddresses({ listeners, prefix, admin, exposed }: Addresses, report: Report) {
  listeners.forEach(({ listen, upstream }, i) => {
    if (listen === undefined) return;
    const value = formatAddress(listen);
    for (const one of upstream) {
      if (!overlap(listen, one)) continue;
      report({
        name: `${prefix(i)}upstream`,
        value,
        rule: 'is the address of its own listener, so requests would go round in a circle',
        remedy: 'if the app uses that port, listen on another one, such as :8081',
      });
    }
    const earlier = listeners
      .slice(0, i)
      .findIndex((other) => other.listen !== undefined && overlap(listen, other.listen));
    if (earlier !== -1)
      report({ name: `${prefix(i)}listen`, value, rule: 'is taken by another listener' });
    if (overlap(listen, admin))
      report({ name: `${prefix(i)}listen`, value, rule: 'is taken by the admin port' });
  });
  const ports = listeners.flatMap(({ listen }) => (listen && 'port' in listen ? listen.port : []));
  if (exposed !== undefined && ports.length > 0 && !ports.includes(exposed))
    report({
      name: '--exposed',
      value: exposed,
      rule: `is not a port of a listener (${ports.join(', ')}): Services lead to the exposed port, and would bypass the ambassador`,
      remedy:
        'listen on it, or change the containerPort too: with Kustomize, list the component ambassador/port last',
    });
}

const ANY = new Set([undefined, '0.0.0.0', '::']);
const LOOPBACK = /^(127\.|::1$|localhost$)/;

/** Whether a listener of address `a` would also take `b`. */
function overlap(a: Address, b: Address): boolean {
  if ('path' in a || 'path' in b) return 'path' in a && 'path' in b && a.path === b.path;
  if (a.port !== b.port || a.port === 0) return false;
  if (ANY.has(a.host)) return ANY.has(b.host) || LOOPBACK.test(b.host ?? '') || b.host === a.host;
  if (ANY.has(b.host)) return true;
  return a.host === b.host || (LOOPBACK.test(a.host ?? '') && b.host === 'localhost');
}
