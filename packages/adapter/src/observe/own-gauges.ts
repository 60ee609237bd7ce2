import type { Registry } from '@sidekit/core';
import type { Delivery } from '../output/delivery.ts';
import type { Catalogue } from '../tail/catalogue.ts';

/** Registers gauges that are read at each scrape. */
export function registerStateMetrics(
  registry: Registry,
  catalogue: Catalogue,
  deliveries: readonly Delivery[],
  now: () => number,
): void {
  registry.gauge({
    name: 'adapter_lag_bytes',
    help: 'Bytes in the files that no output has acknowledged.',
    collect: (gauge) => {
      let lag = 0;
      for (const { size, acked, fd } of catalogue.generations()) {
        if (fd !== undefined) lag += Math.max(0, size - acked.offset);
      }
      gauge.set(lag);
    },
  });
  registry.gauge({
    name: 'adapter_open_files',
    help: 'Log files held open.',
    collect: (gauge) => {
      let open = 0;
      for (const { fd } of catalogue.generations()) if (fd !== undefined) open++;
      gauge.set(open);
    },
  });
  registry.gauge({
    name: 'adapter_buffered_bytes',
    help: 'Bytes of records in memory that are not acknowledged.',
    collect: (gauge) =>
      gauge.set(deliveries.reduce((sum, { queuedBytes }) => sum + queuedBytes, 0)),
  });
  registry.gauge({
    name: 'adapter_oldest_unacknowledged_seconds',
    help: 'Age of the oldest batch that is not acknowledged by all outputs.',
    collect: (gauge) => {
      const at = now();
      let oldest = at;
      for (const delivery of deliveries) oldest = Math.min(oldest, delivery.oldest ?? at);
      gauge.set((at - oldest) / 1000);
    },
  });
  registry.gauge({
    name: 'adapter_unreadable_files',
    help: 'Log files that cannot be opened, and directories that cannot be listed.',
    collect: (gauge) => gauge.set(catalogue.unreadable),
  });
}
