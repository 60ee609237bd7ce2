import type { SecureContextOptions } from 'node:tls';
import type { Runtime } from '../exchange/runtime.ts';
import { type RouteRule, RouteTable } from '../http/route-table.ts';
import { prefixOf, type RouteOptions } from '../options/routes.ts';
import type { ListenerOptions } from '../options/table.ts';
import { type Environment, httpRuntime, type ListenerRules } from './configuration.ts';

/** The rules of a listener, and those of its routes in their order. */
export interface AllRules {
  readonly listener: ListenerRules;
  readonly routes: readonly ListenerRules[];
}

/** Builds the runtime of an http listener with its routes, each with its own upstreams. */
export function routedRuntime(
  options: ListenerOptions,
  tls: SecureContextOptions,
  rules: AllRules,
  env: Environment,
): Runtime {
  const runtime = httpRuntime(options, tls, rules.listener, env);
  if (options.routes.length === 0) return runtime;
  const routes = options.routes.map((route, i): readonly [RouteRule, Runtime] => {
    const own = httpRuntime(inheriting(options, route), tls, rules.routes[i]!, env);
    const prefix = prefixOf(route);
    return [
      { host: route.host, prefix },
      { ...own, stripPrefix: route.stripPrefix ? prefix : '' },
    ];
  });
  return { ...runtime, routes: new RouteTable(routes) };
}

/** Returns the options of a route: its own, otherwise those of the listener. */
export function inheriting(options: ListenerOptions, route: RouteOptions): ListenerOptions {
  const own = Object.entries(route).filter(([key, value]) => key in options && value !== undefined);
  // A rate limit of the listener counts all routes together.
  return { ...options, rateLimit: undefined, ...Object.fromEntries(own) };
}

/** Lists the runtimes of a listener: its own and those of its routes. */
export function allRuntimes(runtime: Runtime): readonly Runtime[] {
  return [runtime, ...(runtime.routes?.values ?? [])];
}
