import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Context, defineSidecar, monotonic, Watchdog } from '@sidekit/core';
import { fileFailure } from '../failures.ts';
import { DeliveredOffsets, deliveredPath } from '../journal/delivered-offsets.ts';
import { queueMetrics } from '../metrics.ts';
import { QueueReader } from '../queue/queue-reader.ts';
import { untilDone } from '../retry.ts';
import { fileSink } from '../sink/file.ts';
import { httpSink } from '../sink/http.ts';
import type { Sink } from '../sink/sink.ts';
import { stdoutSink } from '../sink/stdout.ts';
import { Acknowledger } from './acknowledger.ts';
import { Collector } from './collector.ts';
import { table } from './options.ts';

type Consumer = Context<(typeof table)['options']>;

/** `mq consumer`: queue → sink (→ delivered offsets → acknowledgement). */
export const consumer = defineSidecar({
  table,
  run: async (context) => {
    const { options, log, health, stopping, onStop } = context;
    const delivered = openDelivered(context);
    const sink = openSink(context, delivered);
    // Store the sink's start before anything is written to it: otherwise a process that is killed
    // between its first block and the first note leaves lines that nobody would cut off.
    delivered?.keep(sink.mark?.());
    onStop('sink', () => sink.close());
    const acknowledger =
      delivered && new Acknowledger({ name: `${options.queue}.ack`, delivered, log });
    onStop('acknowledgements', () => acknowledger?.close());
    const reader = new QueueReader({
      name: options.queue,
      checkInterval: options.checkInterval,
      log,
      ready: health.condition('queue', 'startup', 'ready'),
      onCheck: acknowledger && (() => acknowledger.check()),
    });
    onStop('queue', () => reader.close());
    const metrics = queueMetrics(context.metrics, () => reader.depth);
    await reader.checked();
    const collector = await Collector.create({
      reader,
      prefix: options.sink === 'stdout' ? options.prefix : '',
      exitMessage: options.exitMessage,
      showExit: options.sink === 'stdout',
      reliable: delivered && acknowledger && { delivered, acknowledger },
      metrics,
      log,
    });
    const timeout = Math.max(60_000, 2 * options.timeout);
    const watchdog = new Watchdog({ name: 'delivery', timeout, health, log });
    onStop('watchdog', () => watchdog.close());
    const refusing = health.condition('sink');
    refusing.pass();

    while (!stopping.aborted) {
      const empty = collector.collect();
      if (!empty) watchdog.busy();
      const { end } = collector.block;
      if ((end > 0 || acknowledger?.pending) && !(await deliver())) break;
      // The queue may have been recreated with larger messages.
      if (end === 0) await collector.clear();
      if (!empty) await nextTurn();
      else if (collector.exited) break;
      else {
        watchdog.idle();
        await waitForMore();
      }
    }
    // The rest of a message of a plain queue exists only here.
    while (!delivered && collector.collectRest()) await deliver();
    if (stopping.aborted) return;
    log.info('the exit message arrived', {
      event: 'exit_message',
      records: metrics.records.value,
    });
    if (options.unlink) reader.unlink();

    /** Hands the block to the sink, stores that, and only then acknowledges. */
    async function deliver(): Promise<boolean> {
      const { block, key } = collector;
      const { bytes, end, count } = block;
      if (end > 0) {
        const work = async () => {
          await sink.write(bytes, 0, end, { count, key });
          return true;
        };
        // Records of a plain queue exist only here: retry until the grace period ends.
        const retrying = delivered ? stopping : undefined;
        const onFailure = (reason: string) => {
          watchdog.idle();
          refusing.warn(reason);
        };
        const done = await untilDone(work, {
          what: 'the sink',
          stopping: retrying,
          log,
          onFailure,
        });
        if (!done) return false;
        refusing.pass();
        watchdog.progress();
        metrics.records.inc(count);
      }
      await collector.clear();
      if (options.sync) sink.sync?.();
      delivered?.keep(sink.mark?.());
      acknowledger?.acknowledge();
      return true;
    }

    async function waitForMore(): Promise<void> {
      const since = monotonic();
      await reader.wait(stopping);
      metrics.wait.observe((monotonic() - since) / 1000);
    }
  },
});

function openDelivered({ options, log, onStop }: Consumer): DeliveredOffsets | undefined {
  if (options.delivery === 'at-most-once' || options.journal === undefined) return undefined;
  const path = deliveredPath(options);
  try {
    const delivered = new DeliveredOffsets(path, options);
    onStop('journal', () => delivered.close());
    if (delivered.damaged) {
      log.warn('the record of what was delivered is damaged: records may be delivered again', {
        event: 'inbox_damaged',
        path,
      });
    }
    return delivered;
  } catch (error) {
    throw fileFailure('--journal cannot be used', path, error);
  }
}

function openSink({ options, log }: Consumer, delivered: DeliveredOffsets | undefined): Sink {
  switch (options.sink) {
    case 'stdout':
      return stdoutSink();
    case 'file':
      return fileSink(options.file!, delivered?.sink, log);
    case 'http':
      return httpSink(options.url!, options.timeout);
  }
}
