import { formatAddress } from '@sidekit/core';
import { HeaderRules } from '../http/header-rules.ts';
import type { ListenerOptions } from '../options/table.ts';
import { TcpHandler } from '../tcp/tcp-handler.ts';
import type { Cluster } from '../upstream/cluster.ts';
import { type Environment, tcpOptions } from './configuration.ts';
import { resolveRules } from './header-values.ts';
import { HttpHandler } from './http-handler.ts';
import { Listener } from './listener.ts';
import { proxyGate } from './proxy-gate.ts';
import { type AllRules, allRuntimes, inheriting, routedRuntime } from './route-runtimes.ts';
import { readTls, type TlsFiles } from './tls-files.ts';

interface Open {
  options: ListenerOptions;
  readonly listener: Listener;
  readonly handler: HttpHandler | TcpHandler;
  clusters: readonly Cluster[];
  /** Identifies the configuration: equal text means equal configuration. */
  text: string;
}

/** Holds the listeners of the process: opened together, changed by reloads, drained by direction. */
export class Listeners {
  readonly #env: Environment;
  readonly #open = new Map<string, Open>();
  /** Listeners that a reload removed, while they drain. */
  readonly #leaving = new Map<Listener, Promise<void>>();

  constructor(env: Environment) {
    this.#env = env;
  }

  get clusters(): { readonly name: string; readonly cluster: Cluster }[] {
    return [...this.#open.values()].flatMap(({ options, clusters }) =>
      clusters.map((cluster) => ({ name: options.name, cluster })),
    );
  }

  /** Client connections that all listeners together may have. */
  get maxConnections(): number {
    return [...this.#open.values()].reduce((sum, { options }) => sum + options.maxConnections, 0);
  }

  get addresses(): Record<string, string> {
    return Object.fromEntries(
      [...this.#open].map(([, { options, listener }]) => [options.name, listener.boundTo]),
    );
  }

  /**
   * Replaces the listeners by those of `wanted`, completely or not at all: everything that can fail
   * is done first.
   * @throws {ExpectedError} if a certificate is bad or an address cannot be bound; then nothing
   * has changed.
   */
  async apply(wanted: readonly ListenerOptions[]): Promise<void> {
    const plans = wanted.map((options) => {
      const tls = readTls(options);
      const levels = [options, ...options.routes.map((route) => inheriting(options, route))];
      const resolved = levels.map(({ requestHeaders, responseHeaders }) => [
        resolveRules(requestHeaders, this.#env.variables),
        resolveRules(responseHeaders, this.#env.variables),
      ]);
      const text = JSON.stringify([options, tls, resolved]);
      const [listener, ...routes] = resolved.map(([request = [], response = []]) => ({
        request: request.length > 0 ? new HeaderRules(request) : undefined,
        response: response.length > 0 ? new HeaderRules(response) : undefined,
      }));
      const rules: AllRules = { listener: listener!, routes };
      return { options, tls, rules, text, key: keyOf(options) };
    });
    const fresh: [string, Open][] = [];
    try {
      for (const { options, tls, rules, text, key } of plans) {
        if (this.#open.has(key)) continue;
        const made = this.#make(options, tls, rules, text);
        fresh.push([key, made]);
        await made.listener.listen();
      }
    } catch (error) {
      for (const [, { listener }] of fresh) listener.destroy();
      throw error;
    }
    for (const { options, tls, rules, text, key } of plans) {
      const open = this.#open.get(key);
      if (open && open.text !== text) this.#update(open, options, tls, rules, text);
    }
    const keys = new Set(plans.map(({ key }) => key));
    for (const [key, { listener }] of this.#open) {
      if (keys.has(key)) continue;
      this.#open.delete(key);
      const left = listener.drain(0).finally(() => this.#leaving.delete(listener));
      this.#leaving.set(listener, left);
    }
    for (const [key, made] of fresh) this.#open.set(key, made);
  }

  /**
   * Drains all listeners of a direction, and those that a reload removed.
   * @param until see `Listener.endCallsFrom`.
   */
  async drain(direction: 'inbound' | 'outbound', delay: number, until: number): Promise<void> {
    const ending = [...this.#open.values()]
      .map(({ listener }) => listener)
      .filter((listener) => listener.direction === direction);
    for (const listener of [...ending, ...this.#leaving.keys()]) listener.endCallsFrom(until);
    await Promise.all([
      ...ending.map((listener) => listener.drain(delay)),
      ...this.#leaving.values(),
    ]);
  }

  /** Closes all listeners at once. */
  destroy(): void {
    for (const { listener } of this.#open.values()) listener.destroy();
  }

  #make(options: ListenerOptions, tls: TlsFiles, rules: AllRules, text: string): Open {
    const http = options.protocol === 'http';
    const runtime = http ? routedRuntime(options, tls.client, rules, this.#env) : undefined;
    const splicing = http ? undefined : tcpOptions(options, tls.client, this.#env);
    const handler = runtime ? new HttpHandler(runtime) : new TcpHandler(splicing!);
    const listener = new Listener(
      {
        name: options.name,
        address: options.listen!,
        direction: options.direction,
        halfOpen: !http,
        maxConnections: options.maxConnections,
        protocols: http ? ['h2', 'http/1.1'] : ['http/1.1'],
        gate: proxyGate(options, this.#env),
        pool: this.#env.pool,
      },
      tls.server,
      handler,
      this.#env.clock,
    );
    const clusters = runtime
      ? allRuntimes(runtime).map(({ cluster }) => cluster)
      : [splicing!.cluster];
    return { options, listener, handler, text, clusters };
  }

  #update(open: Open, options: ListenerOptions, tls: TlsFiles, rules: AllRules, text: string) {
    if (open.handler instanceof HttpHandler) {
      const runtime = routedRuntime(options, tls.client, rules, this.#env);
      open.handler.update(runtime);
      open.clusters = allRuntimes(runtime).map(({ cluster }) => cluster);
    } else {
      const splicing = tcpOptions(options, tls.client, this.#env);
      open.handler.update(splicing);
      open.clusters = [splicing.cluster];
    }
    if (tls.server) open.listener.renewTls(tls.server);
    open.listener.maxConnections = options.maxConnections;
    if (`${options.proxyProtocol}` !== `${open.options.proxyProtocol}`)
      open.listener.gate = proxyGate(options, this.#env);
    open.options = options;
    open.text = text;
  }
}

/** Returns the properties that cannot change while the address stays bound. */
function keyOf(options: ListenerOptions): string {
  const { listen, protocol, direction, tlsCert } = options;
  return [
    formatAddress(listen!),
    protocol,
    direction,
    tlsCert === undefined ? 'plain' : 'tls',
  ].join(' ');
}
