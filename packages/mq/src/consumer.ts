import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Context, defineSidecar, monotonic } from '@sidekit/core';
import { allocateSlab } from '@sidekit/posix-mq';
import { Acknowledger } from './acknowledger.ts';
import { Collector } from './collector.ts';
import { consumerOptions } from './consumer-options.ts';
import { fileFailure } from './failures.ts';
import { Inbox } from './inbox.ts';
import { Inlet } from './inlet.ts';
import { queueMetrics } from './metrics.ts';
import { untilDone } from './retry.ts';
import { fileSink } from './sink/file.ts';
import { httpSink } from './sink/http.ts';
import type { Sink } from './sink/sink.ts';
import { stdoutSink } from './sink/stdout.ts';

type Consumer = Context<(typeof consumerOptions)['options']>;

const BLOCK = 256 * 1024;

/** `mq consumer`: queue → sink (→ inbox → acknowledgement). */
export const consumer = defineSidecar({
  table: consumerOptions,
  run: async (context) => {
    const { options, log, health, stopping, onStop } = context;
    const inbox = openInbox(context);
    const sink = openSink(context, inbox);
    // Where the sink begins is kept before anything is put there: else a process that is killed
    // between its first block and the first note leaves lines that nobody would cut off.
    inbox?.keep(sink.mark?.());
    onStop('sink', () => sink.close());
    const acknowledger = inbox && new Acknowledger({ name: `${options.queue}.ack`, inbox, log });
    onStop('acknowledgements', () => acknowledger?.close());
    const inlet = new Inlet({
      name: options.queue,
      checkInterval: options.checkInterval,
      log,
      ready: health.condition('queue', 'startup', 'ready'),
      onLook: acknowledger && (() => acknowledger.look()),
    });
    onStop('queue', () => inlet.close());
    const metrics = queueMetrics(context.metrics, () => inlet.depth);
    const collector = new Collector({
      inlet,
      slab: await allocateSlab(BLOCK),
      prefix: options.sink === 'stdout' ? options.prefix : '',
      exitMessage: options.exitMessage,
      showExit: options.sink === 'stdout',
      reliable: inbox && acknowledger && { inbox, acknowledger },
      metrics,
    });
    const refusing = health.condition('sink');
    refusing.pass();

    await inlet.looked();
    while (!stopping.aborted) {
      const empty = collector.collect();
      if (collector.end > 0 || acknowledger?.owing) {
        const delivered = await deliver();
        if (!delivered) break;
      }
      if (!empty) await nextTurn();
      else if (collector.exited) break;
      else await waitForMore();
    }
    if (stopping.aborted) return;
    log.info('the exit message came', { records: metrics.records.value });
    if (options.unlink) inlet.unlink();

    /** Hands the block to the sink, keeps that, and only then acknowledges. */
    async function deliver(): Promise<boolean> {
      const { end, count, key } = collector;
      if (end > 0) {
        const work = async () => {
          await sink.write(collector.bytes, 0, end, { count, key });
          return true;
        };
        // What a plain queue gave is only here: until it is delivered, or the grace period ends.
        const until = inbox ? stopping : undefined;
        const onFailure = (reason: string) => refusing.warn(reason);
        const done = await untilDone(work, { what: 'the sink', stopping: until, log, onFailure });
        if (!done) return false;
        refusing.pass();
        metrics.records.inc(count);
      }
      collector.clear();
      inbox?.keep(sink.mark?.());
      acknowledger?.acknowledge();
      return true;
    }

    async function waitForMore(): Promise<void> {
      const since = monotonic();
      await inlet.wait(stopping);
      metrics.wait.observe((monotonic() - since) / 1000);
    }
  },
});

function openInbox({ options, onStop }: Consumer): Inbox | undefined {
  if (options.delivery === 'at-most-once' || options.journal === undefined) return undefined;
  const path = join(options.journal, `${options.queue.slice(1)}.inbox`);
  try {
    const inbox = new Inbox(path);
    onStop('journal', () => inbox.close());
    return inbox;
  } catch (error) {
    throw fileFailure('--journal cannot be used', path, error);
  }
}

function openSink({ options, log }: Consumer, inbox: Inbox | undefined): Sink {
  switch (options.sink) {
    case 'stdout':
      return stdoutSink();
    case 'file':
      return fileSink(options.file!, inbox?.sink, log);
    case 'http':
      return httpSink(options.url!, options.timeout);
  }
}
