import { isIP } from 'node:net';
import type { Collect, Path } from '@sidekit/core/schema';
import type { ContainerSpec } from './container-schema.ts';
import { dnsSubdomain } from './rules.ts';

/** The most nameservers and search domains that a Pod may have (core validation). */
const MAX_NAMESERVERS = 3;
const MAX_SEARCHES = 32;

interface Rules {
  readonly containers: readonly Pick<ContainerSpec, 'lifecycle' | 'env'>[];
  readonly initContainers: readonly Pick<ContainerSpec, 'lifecycle' | 'env'>[];
  readonly terminationGracePeriodSeconds: number;
  readonly dnsConfig?:
    | { readonly nameservers: readonly string[]; readonly searches: readonly string[] }
    | undefined;
  readonly hostAliases: readonly { readonly ip: string; readonly hostnames: readonly string[] }[];
}

/** Checks the rules of a Pod's spec that span several fields, as the API server does. */
export function podRules(spec: Rules, report: Collect): void {
  const { dnsConfig, hostAliases } = spec;
  for (const field of ['initContainers', 'containers'] as const) {
    for (const [index, container] of spec[field].entries()) {
      containerRules(container, spec.terminationGracePeriodSeconds, [field, index], report);
    }
  }
  addresses(dnsConfig?.nameservers ?? [], ['dnsConfig', 'nameservers'], report);
  names(dnsConfig?.searches ?? [], ['dnsConfig', 'searches'], report);
  if ((dnsConfig?.nameservers.length ?? 0) > MAX_NAMESERVERS) {
    const rule = `must have at most ${MAX_NAMESERVERS} items`;
    report(['dnsConfig', 'nameservers'], { rule });
  }
  if ((dnsConfig?.searches.length ?? 0) > MAX_SEARCHES) {
    report(['dnsConfig', 'searches'], { rule: `must have at most ${MAX_SEARCHES} items` });
  }
  for (const [index, { ip, hostnames }] of hostAliases.entries()) {
    if (isIP(ip) === 0) {
      report(['hostAliases', index, 'ip'], { value: ip, rule: 'must be an IP address' });
    }
    names(hostnames, ['hostAliases', index, 'hostnames'], report);
  }
}

function containerRules(
  { lifecycle, env }: Pick<ContainerSpec, 'lifecycle' | 'env'>,
  grace: number,
  at: Path,
  report: Collect,
) {
  for (const hook of ['postStart', 'preStop'] as const) {
    const seconds = lifecycle?.[hook]?.sleep?.seconds;
    if (seconds === undefined || seconds <= grace) continue;
    report([...at, 'lifecycle', hook, 'sleep', 'seconds'], {
      value: seconds,
      rule: `must not be longer than terminationGracePeriodSeconds, ${grace}`,
    });
  }
  for (const [index, { valueFrom }] of env.entries()) {
    if (!/^metadata\.(labels|annotations)$/.test(valueFrom?.fieldRef?.fieldPath ?? '')) continue;
    report([...at, 'env', index, 'valueFrom', 'fieldRef', 'fieldPath'], {
      rule: "must name a key in a variable, such as metadata.labels['app']",
    });
  }
}

function addresses(values: readonly string[], at: Path, report: Collect) {
  for (const [index, value] of values.entries()) {
    if (isIP(value) === 0) report([...at, index], { value, rule: 'must be an IP address' });
  }
}

/** A search domain may end with a dot, and be one. */
function names(values: readonly string[], at: Path, report: Collect) {
  for (const [index, value] of values.entries()) {
    const broken = value === '.' ? undefined : dnsSubdomain(value.replace(/\.$/, ''));
    if (broken) report([...at, index], { value, rule: broken.rule });
  }
}
