import {
  errorText,
  formatAddress,
  freeBytes,
  type Health,
  type Log,
  monotonic,
  type OptionValues,
  type Registry,
  throttle,
} from '@sidekit/core';
import type { statsdOptions } from '../../options/statsd.ts';
import { openUdp } from '../net/udp.ts';
import { mappingOf } from './mapping.ts';
import { StatsdStore } from './store.ts';

type Options = OptionValues<typeof statsdOptions>;

interface Parts {
  readonly options: Options;
  readonly log: Log;
  readonly metrics: Registry;
  readonly health: Health;
}

const LOG_INTERVAL = 10_000;

/** The causes that mean that a bound is reached, and not that a sender is wrong. */
const LIMITS: ReadonlySet<string> = new Set(['series_limit', 'set_limit']);

/**
 * Receives StatsD over UDP and turns it into metrics; undefined if no address is given. Resolves
 * once the address is bound.
 * @throws {ExpectedError} with a remedy if binding fails.
 */
export async function startStatsd({ options, log, metrics, health }: Parts) {
  const address = options.statsd;
  if (address === undefined || 'path' in address) return undefined;
  const ready = health.condition('statsd', 'startup', 'ready');
  const warning = health.warning('statsd limits');
  const host = address.host ?? '127.0.0.1';
  const { socket, port, receiveBuffer, drops } = await openUdp(host, address.port, '--statsd', log);

  const received = metrics.counter({
    name: 'adapter_statsd_datagrams_total',
    help: 'StatsD datagrams received.',
  });
  const dropped = metrics.counters({
    name: 'adapter_statsd_dropped_values_total',
    help: 'StatsD lines and values dropped, by cause.',
  });
  metrics.counter({
    name: 'adapter_statsd_dropped_datagrams_total',
    help: 'StatsD datagrams that the kernel dropped because the receive buffer was full.',
    collect: drops,
  });
  let cause = '';
  const logDrop = throttle(LOG_INTERVAL, (suppressed) =>
    log.warn('dropped what was sent over StatsD', { event: 'statsd_dropped', cause, suppressed }),
  );
  const store = new StatsdStore(metrics, {
    series: options.statsdSeries,
    buckets: options.statsdBuckets,
    expiry: options.statsdExpiry,
    mapping: mappingOf(options.statsdMappings),
    now: monotonic,
    onDrop: (why) => {
      dropped.with({ cause: why }).inc();
      if (LIMITS.has(why)) warning.set(`new series or members are dropped: ${why}`);
      // A rule drops what it is meant to drop.
      if (why === 'mapping') return;
      cause = why;
      logDrop();
    },
  });
  metrics.gauge({
    name: 'adapter_statsd_series',
    help: 'Time series from StatsD.',
    collect: (gauge) => {
      store.sweep();
      if (store.hasRoom) warning.clear();
      gauge.set(store.size);
    },
  });

  socket.on('message', (bytes) => {
    received.inc();
    // Bytes that are no UTF-8 become U+FFFD.
    const text = bytes.toString('utf8');
    freeBytes(bytes);
    store.datagram(text);
  });
  socket.on('error', (error) => {
    ready.fail(errorText(error));
    log.error('the StatsD socket failed', { event: 'statsd_failed', error: errorText(error) });
  });
  ready.pass();
  log.info('receiving StatsD', {
    event: 'statsd_listening',
    address: formatAddress({ host, port }),
    receiveBuffer,
  });
  return {
    port,
    close: () => new Promise<void>((resolve) => socket.close(() => resolve())),
  };
}
