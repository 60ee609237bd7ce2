import { dirname } from 'node:path';
import {
  type Context,
  type Counter,
  defineSidecar,
  ExpectedError,
  PollingWatch,
  type Registry,
  UsageError,
} from '@sidekit/core';
import { reportMemory } from './observe/memory-report.ts';
import { type ListenerOptions, listenersOf, type Options, table } from './options/table.ts';
import { environment } from './server/configuration.ts';
import type { Variables } from './server/header-values.ts';
import { watchLimits } from './server/limits.ts';
import { Listeners } from './server/listeners.ts';
import { tlsPaths } from './server/tls-files.ts';
import { Clock } from './time/clock.ts';
import type { Endpoint } from './upstream/endpoint.ts';

/** How often files are checked if the kernel reports no change, in milliseconds. */
const WATCH_INTERVAL = 5000;

/** Time before the end of the grace period at which gRPC streams are ended, in milliseconds. */
const STREAM_MARGIN = 2000;

/**
 * Defines the ambassador.
 * @param variables the environment, for values of header rules.
 * @param reread reads all options from their sources again, for a reload.
 */
export function ambassador(reread: () => Promise<Options>, variables: Variables) {
  return defineSidecar({
    table,
    run: async (context) => {
      const { options, log, health, metrics, stopped } = context;
      const clock = new Clock();
      context.onStop('clock', () => clock.close());
      const env = environment(options, clock, context, variables);
      context.onStop('access log', () => env.accessLog?.close());
      context.onStop('spans', () => env.spans?.close());
      const listeners = new Listeners(env);
      reportMemory(env.memory, context);
      watchLimits(context, listeners, clock);
      registerUpstreams(metrics, listeners);
      const listening = health.condition('listeners', 'startup', 'ready');
      await listeners.apply(listenersOf(options));
      listening.pass();
      log.info('listening', { event: 'listening', listeners: listeners.addresses });
      const { drainDelay, gracePeriod } = options;
      let until = Number.POSITIVE_INFINITY;
      const margin = Math.min(STREAM_MARGIN, gracePeriod / 5);
      context.stopping.addEventListener('abort', () => {
        until = performance.now() + gracePeriod - margin;
      });
      // The app may need its way out until its own requests have ended.
      context.onStop('outbound listeners', () =>
        listeners.drain('outbound', drainDelay, until + margin / 2),
      );
      context.onStop('inbound listeners', () => listeners.drain('inbound', drainDelay, until));
      watchFiles(context, listeners, reread);
      await stopped;
    },
  });
}

/** Applies a changed configuration or certificate; refuses a bad one and reports it. */
function watchFiles(
  { options, config, log, health, metrics, onStop }: Context<(typeof table)['options']>,
  listeners: Listeners,
  reread: () => Promise<Options>,
) {
  const files = listenersOf(options).flatMap((one) => [...tlsPaths(one), ...headerPaths(one)]);
  if (config !== undefined) files.push(config);
  if (files.length === 0) return;
  const condition = health.condition('configuration');
  condition.pass();
  const reloads = metrics.counters({
    name: 'ambassador_config_reloads_total',
    help: 'Reloads of the configuration by result.',
  });
  const [applied, refused]: Counter[] = [
    reloads.with({ result: 'applied' }),
    reloads.with({ result: 'refused' }),
  ];
  const good = metrics.gauge({
    name: 'ambassador_config_last_reload_successful',
    help: '1 while the current files are in use.',
  });
  good.set(1);
  let known = JSON.stringify(options);
  let lastProblem = '';
  const watch = new PollingWatch({
    directories: [...new Set(files.map((file) => dirname(file)))],
    interval: WATCH_INTERVAL,
    log,
    poll: async () => {
      try {
        const next = await reread();
        const text = JSON.stringify(next);
        await listeners.apply(listenersOf(next));
        if (text !== known || lastProblem !== '') {
          applied?.inc();
          log.info('configuration reloaded', {
            event: 'configuration_reloaded',
            listeners: listeners.addresses,
          });
        }
        known = text;
        lastProblem = '';
        good.set(1);
        condition.pass();
      } catch (error) {
        if (!(error instanceof ExpectedError)) throw error;
        if (error.message === lastProblem) return;
        lastProblem = error.message;
        refused?.inc();
        good.set(0);
        condition.warn(`the changed configuration was refused: ${error.message}`);
        const faults = error instanceof UsageError ? error.faults : undefined;
        log.error('configuration refused, the previous one stays in use', {
          event: 'configuration_refused',
          error: error.message,
          faults,
        });
      }
    },
  });
  onStop('configuration watch', () => watch.close());
}

/** Lists the files with values of header rules. */
function headerPaths(options: ListenerOptions): string[] {
  return [options, ...options.routes]
    .flatMap(({ requestHeaders, responseHeaders }) => [
      ...(requestHeaders ?? []),
      ...(responseHeaders ?? []),
    ])
    .flatMap(({ file }) => file ?? []);
}

function registerUpstreams(metrics: Registry, listeners: Listeners) {
  metrics.gauges({
    name: 'http_client_open_connections',
    help: 'Connections to upstreams.',
    collect: (family) => {
      for (const [listener, endpoints] of endpointsOf(listeners)) {
        const sum = (count: (one: Endpoint) => number) =>
          endpoints.reduce((total, one) => total + count(one), 0);
        const idle = sum((one) => one.idleConnections);
        family.with({ listener, http_connection_state: 'idle' }).set(idle);
        family
          .with({ listener, http_connection_state: 'active' })
          .set(sum((one) => one.connections) - idle);
      }
    },
  });
  metrics.gauges({
    name: 'ambassador_upstream_healthy_endpoints',
    help: 'Healthy endpoints.',
    collect: (family) => {
      for (const [listener, endpoints] of endpointsOf(listeners))
        family.with({ listener }).set(endpoints.filter((one) => one.healthy).length);
    },
  });
}

/** Groups the endpoints of all routes by their listener. */
function endpointsOf(listeners: Listeners): Map<string, readonly Endpoint[]> {
  const all = new Map<string, readonly Endpoint[]>();
  for (const { name, cluster } of listeners.clusters)
    all.set(name, [...(all.get(name) ?? []), ...cluster.endpoints]);
  return all;
}
