import { join } from 'node:path';
import { type Context, defineSidecar, monotonic } from '@sidekit/core';
import { pollEndpoints } from './input/json-endpoint/poll.ts';
import { receive } from './input/receive/receive.ts';
import { startStatsd } from './input/statsd/server.ts';
import { adapterMetrics } from './observe/own-counters.ts';
import { adapterTable } from './options/table.ts';
import { Delivery } from './output/delivery.ts';
import { outputsFor } from './output/outputs-for.ts';
import { replayParked } from './output/replay.ts';
import { startReading } from './read/start-reading.ts';
import { parking } from './state/parking.ts';
import { stateDirectoryOf } from './state/state-directory.ts';

/** The adapter: files → generations → lines → records → batches → outputs → state. */
export const adapter = defineSidecar({
  table: adapterTable,
  run: async (context) => {
    if (context.options.replay) {
      await replay(context);
      return;
    }
    const { include, syslog, jsonLines } = context.options;
    const hasRecords = include.length + syslog.length + jsonLines.length > 0;
    // All add their conditions before the first `await`, so that none is ready without the others.
    const reading = hasRecords ? startReading(context) : undefined;
    const [statsd, stopReceiving] = await Promise.all([
      startStatsd(context),
      reading && receive(context, reading.spools),
    ]);
    if (statsd) context.onStop('statsd', statsd.close);
    const polling = pollEndpoints(context);
    await context.stopped;
    await stopReceiving?.();
    await polling;
    await reading?.stop();
  },
});

/** Delivers the parked records again. */
async function replay({ options, log, metrics: registry, health, stopping }: ReplayParts) {
  const metrics = adapterMetrics(registry);
  const directory = join(stateDirectoryOf(options), 'parked');
  const deliveries = outputsFor(options).map(
    (output) =>
      new Delivery(output, {
        retry: { base: options.retryBase, cap: options.retryCap },
        metrics,
        log,
        condition: health.condition(`output ${output.name}`),
        park: parking(directory, options.parkBytes, log),
        now: monotonic,
        onDelivered: () => {},
        onIdle: () => {},
      }),
  );
  const batches = await replayParked(directory, deliveries, log, stopping);
  await Promise.all(deliveries.map((delivery) => delivery.close()));
  log.info('parked records were delivered', { event: 'replayed', batches });
}

type ReplayParts = Pick<
  Context<(typeof adapterTable)['options']>,
  'options' | 'log' | 'metrics' | 'health' | 'stopping'
>;
