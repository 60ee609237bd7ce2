import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { errorText, type Log } from '@sidekit/core';
import type { Clock } from '../time/clock.ts';
import { Endpoint } from './endpoint.ts';
import { checkHealth, type HealthCheckOptions } from './health-check.ts';
import type { Target, UpstreamResources } from './target.ts';
import type { EndpointLimits } from './waiter.ts';

export type Upstream =
  | {
      readonly host: string;
      readonly port: number;
      readonly secure: boolean;
      readonly http2?: boolean;
    }
  | { readonly path: string; readonly secure: boolean };

export interface ClusterOptions {
  readonly upstreams: readonly Upstream[];
  readonly balance: 'least-pending' | 'round-robin';
  readonly limits: EndpointLimits;
  /** Time between two lookups of a name, in milliseconds. */
  readonly dnsRefresh: number;
  /** Resolves a name to addresses. */
  readonly lookup: (host: string) => Promise<readonly string[]>;
  readonly healthCheck: HealthCheckOptions | undefined;
  /** Failures in a row that eject an endpoint, and for how long, in milliseconds. */
  readonly ejection: { readonly failures: number; readonly time: number };
  /** Returns the TLS options for an upstream of that name. */
  readonly tls: (host: string | undefined) => Record<string, unknown>;
}

/** Finds, checks and selects the endpoints of a listener's upstreams. */
export class Cluster {
  readonly options: ClusterOptions;
  readonly #clock: Clock;
  readonly #resources: UpstreamResources;
  readonly #log: Log;
  #endpoints: Endpoint[] = [];
  readonly #byUpstream = new Map<Upstream, Endpoint[]>();
  readonly #unresolved = new Set<string>();
  readonly #timers: NodeJS.Timeout[] = [];
  #turn = 0;
  #closed = false;
  readonly #http2: boolean;
  readonly #maybeHttp2: boolean;
  readonly #offersHttp2: boolean;

  constructor(options: ClusterOptions, resources: UpstreamResources, log: Log) {
    this.options = options;
    const http2 = options.upstreams.map((one) => 'http2' in one && one.http2 === true);
    // The endpoint is chosen later, so a call is translated only if it goes to HTTP/2 in any case.
    this.#http2 = http2.includes(true) && !http2.includes(false);
    this.#maybeHttp2 = http2.includes(true) || options.upstreams.some(({ secure }) => secure);
    this.#offersHttp2 =
      http2.length > 0 && options.upstreams.every(({ secure }, i) => secure || http2[i]);
    this.#resources = resources;
    this.#clock = resources.clock;
    this.#log = log;
    for (const upstream of options.upstreams) {
      if ('path' in upstream) this.#set(upstream, [`unix:${upstream.path}`]);
      // Often nothing listens on the IPv6 address of localhost; Node tries both at each connect.
      else if (isIP(upstream.host) || upstream.host === 'localhost')
        this.#set(upstream, [upstream.host]);
      else {
        // Until the name is resolved, the system's resolver decides at each connect.
        this.#set(upstream, [upstream.host]);
        this.#repeat(options.dnsRefresh, () => this.#resolve(upstream), true);
      }
    }
    const check = options.healthCheck;
    if (check) {
      this.#repeat(
        check.interval,
        async () =>
          void (await Promise.all(this.#endpoints.map((one) => checkHealth(one, check, log)))),
        true,
      );
    }
  }

  /** The names whose latest lookup failed. */
  get unresolved(): ReadonlySet<string> {
    return this.#unresolved;
  }

  /** Whether every upstream speaks HTTP/2 by its configuration. */
  get speaksHttp2(): boolean {
    return this.#http2;
  }

  /** Whether every upstream speaks HTTP/2, or may choose it. */
  get offersHttp2(): boolean {
    return this.#offersHttp2;
  }

  /** Whether an upstream may choose HTTP/2, or speaks it. */
  get maySpeakHttp2(): boolean {
    return this.#maybeHttp2;
  }

  get endpoints(): readonly Endpoint[] {
    return this.#endpoints;
  }

  /** Selects the endpoint for the next request, not `except` if there is another. */
  pick(except?: Endpoint): Endpoint | undefined {
    const all = this.#endpoints;
    if (all.length === 1) return all[0]!.healthy ? all[0] : undefined;
    const healthy = all.filter((one) => one.healthy);
    if (healthy.length === 0) return undefined;
    const { now } = this.#clock;
    let choice = healthy.filter((one) => one.ejectedUntil <= now && one !== except);
    // Ejection never removes the last one.
    if (choice.length === 0) choice = healthy.filter((one) => one !== except);
    if (choice.length === 0) choice = healthy;
    if (this.options.balance === 'round-robin') return choice[this.#turn++ % choice.length];
    const first = choice[Math.floor(Math.random() * choice.length)]!;
    const second = choice[Math.floor(Math.random() * choice.length)]!;
    return second.pending < first.pending ? second : first;
  }

  /** Records an outcome. Several failures in a row eject the endpoint, for longer each time. */
  recordOutcome(endpoint: Endpoint, good: boolean): void {
    if (good) {
      endpoint.consecutiveFailures = 0;
      return;
    }
    const { failures, time } = this.options.ejection;
    if (++endpoint.consecutiveFailures < failures || this.#endpoints.length === 1) return;
    endpoint.consecutiveFailures = 0;
    endpoint.ejections = Math.min(endpoint.ejections + 1, 30);
    endpoint.ejectedUntil = this.#clock.now + time * endpoint.ejections;
    this.#log.warn('endpoint ejected', {
      event: 'endpoint_ejected',
      endpoint: endpoint.name,
      failures,
    });
  }

  close(): void {
    this.#closed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    for (const endpoint of this.#endpoints) endpoint.close();
  }

  #repeat(interval: number, work: () => Promise<void>, now: boolean) {
    const at = this.#timers.length;
    const run = async () => {
      await work();
      if (this.#closed) return;
      this.#timers[at] = setTimeout(run, interval);
      this.#timers[at].unref();
    };
    this.#timers.push(setTimeout(run, now ? 0 : interval));
  }

  async #resolve(upstream: Extract<Upstream, { host: string }>) {
    try {
      const found = await this.options.lookup(upstream.host);
      this.#unresolved.delete(upstream.host);
      if (!this.#closed) this.#set(upstream, found.toSorted());
    } catch (error) {
      this.#unresolved.add(upstream.host);
      this.#log.warn('name not resolved, the previous addresses stay in use', {
        event: 'name_not_resolved',
        host: upstream.host,
        error: errorText(error),
      });
    }
  }

  /** Sets the addresses of one upstream, keeping the endpoints that stay. */
  #set(upstream: Upstream, addresses: readonly string[]) {
    const before = this.#byUpstream.get(upstream) ?? [];
    const names = addresses.map((address) => endpointName(upstream, address));
    if (before.length === names.length && before.every((one, i) => one.name === names[i])) return;
    const after = addresses.map((address, i) => {
      const known = before.find((one) => one.name === names[i]);
      return (
        known ??
        new Endpoint(
          names[i]!,
          this.#target(upstream, address),
          this.options.limits,
          this.#resources,
        )
      );
    });
    this.#byUpstream.set(upstream, after);
    this.#endpoints = [...this.#byUpstream.values()].flat();
    for (const gone of before) if (!after.includes(gone)) gone.close();
  }

  #target(upstream: Upstream, address: string): Target {
    const place =
      'path' in upstream ? { path: upstream.path } : { host: address, port: upstream.port };
    if ('http2' in upstream && upstream.http2) return { ...place, http2: true };
    if (!upstream.secure) return place;
    const name = 'path' in upstream ? undefined : upstream.host;
    return { ...place, ...this.options.tls(name), secure: true };
  }
}

/** Resolves by the system's resolver, which knows /etc/hosts and the cluster's DNS. */
export async function systemLookup(host: string): Promise<string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address);
}

function endpointName(upstream: Upstream, address: string): string {
  if ('path' in upstream) return address;
  return `${address.includes(':') ? `[${address}]` : address}:${upstream.port}`;
}
