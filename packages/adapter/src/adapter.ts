import { dirname, join, resolve } from 'node:path';
import { type Context, defineSidecar } from '@sidekit/core';
import { adapterMetrics } from './observe/own-counters.ts';
import { registerStateMetrics } from './observe/own-gauges.ts';
import { adapterTable } from './options/table.ts';
import { PayloadPool } from './output/batch.ts';
import { Delivery } from './output/delivery.ts';
import { outputsFor } from './output/outputs-for.ts';
import { pipelineFor } from './pipeline/pipeline-for.ts';
import { parking } from './state/parking.ts';
import { StateFile } from './state/state-file.ts';
import { Catalogue } from './tail/catalogue.ts';
import { Checkpoint } from './tail/checkpoint.ts';
import { Globs } from './tail/glob.ts';
import { LineSplitter } from './tail/line-splitter.ts';
import { Tailer } from './tail/tailer.ts';

const CHUNK = 256 * 1024;

/** The adapter: files → generations → lines → records → batches → outputs → state. */
export const adapter = defineSidecar({
  table: adapterTable,
  run: async (context) => {
    const running = startAdapter(context);
    await context.stopped;
    await running.stop();
  },
});

type Parts = Pick<
  Context<(typeof adapterTable)['options']>,
  'options' | 'log' | 'metrics' | 'health'
>;

export interface RunningAdapter {
  /** Polls all files and reads as far as there is room. */
  readonly tailer: Tailer;
  /** Resolves once everything that was read is delivered and saved. */
  settled(): Promise<void>;
  /** Reads and delivers the rest within the grace period, and saves the state. */
  stop(): Promise<void>;
  /** Ends immediately, as a crash does: nothing more is read, delivered or saved. */
  crash(): Promise<void>;
}

/** Assembles the parts and starts reading; with `follow: false` the caller polls. */
export function startAdapter(
  { options, log, metrics: registry, health }: Parts,
  { follow = true, now = Date.now }: { follow?: boolean; now?: () => number } = {},
): RunningAdapter {
  const metrics = adapterMetrics(registry);
  const outputs = outputsFor(options);
  const encodings = [...new Map(outputs.map(({ encoding }) => [encoding.name, encoding])).values()];
  // As many as can be in use at a time: allocating new ones keeps the garbage collector busy.
  const underWay = Math.min(20, Math.ceil(options.bufferBytes / options.batchBytes) + 2);
  const pool = new PayloadPool(options.batchBytes + CHUNK * 2, underWay * encodings.length);
  const stateDirectory = options.state ?? join(baseOf(options.include[0] ?? '.'), '.adapter');

  const catalogue = new Catalogue({
    globs: new Globs(options.include, options.exclude),
    startAt: options.startAt,
    forgetAfter: options.rotateWait,
    log,
    now,
    onEvent: (event) => metrics[`${event}s`].inc(),
  });
  const file = new StateFile(stateDirectory, log);
  catalogue.restore(file.load());
  const checkpoint = new Checkpoint({
    file,
    catalogue,
    interval: options.checkpointInterval,
    metrics,
    condition: health.condition('state'),
    log,
  });

  const delivery = new Delivery(outputs, {
    bufferBytes: options.bufferBytes,
    retry: { base: options.retryBase, cap: options.retryCap },
    encodingNames: encodings.map(({ name }) => name),
    pool,
    metrics,
    log,
    condition: (output) => {
      const condition = health.condition(`output ${output}`);
      condition.pass();
      return condition;
    },
    park:
      options.refused === 'park'
        ? parking(join(stateDirectory, 'parked'), options.parkBytes, log)
        : undefined,
    onDelivered: (batch) => {
      for (const [generation, mark] of batch.marks) generation.acked = mark;
      checkpoint.soon();
      if (wanting && delivery.hasRoom()) {
        wanting = false;
        if (follow) tailer.resume();
      }
    },
  });
  let wanting = false;
  let scanned = false;

  const pipeline = pipelineFor(options, { metrics, registry, pool, encodings, now, delivery });
  const splitter = new LineSplitter(
    {
      maxLine: options.maxLine,
      longLines: options.longLines,
      onLongLine: () => metrics.longLines.inc(),
    },
    pipeline,
  );
  const tailer = new Tailer(
    catalogue,
    {
      splitter,
      hasRoom: () => {
        wanting = !delivery.hasRoom();
        return !wanting;
      },
      partial: (generation, text, offset) => pipeline.partial(generation, text, offset),
      mark: (generation, read) => pipeline.mark(generation, read),
      settle: (generation, idle, final) => pipeline.settle(generation, idle, final),
      flush: () => pipeline.flush(),
      close: (generation) => pipeline.close(generation),
    },
    {
      ...options,
      chunk: Math.max(CHUNK, options.maxLine + 1024),
      log,
      now,
      onNewGeneration: () => checkpoint.now(),
      onRead: (bytes, lines) => {
        metrics.bytes.inc(bytes);
        metrics.lines.inc(lines);
      },
      onDrop: (cause, bytes) => metrics.droppedBytes.with({ cause }).inc(bytes),
      onScanned: () => {
        if (scanned) return;
        scanned = true;
        health.condition('first scan', 'startup', 'ready').pass();
        const logs = catalogue.logs.size;
        if (logs > 0) log.info('following logs', { event: 'following', logs });
        else log.warn('no file matches yet', { event: 'no_match' });
      },
    },
  );
  health.condition('first scan', 'startup', 'ready');
  registerStateMetrics(registry, catalogue, delivery, now);
  if (follow) tailer.start();
  return {
    tailer,
    settled: async () => {
      const never = new AbortController().signal;
      while (!delivery.empty) await delivery.change(never);
      await checkpoint.now();
    },
    stop: async () => {
      const deadline = AbortSignal.timeout(Math.max(100, options.gracePeriod * 0.8));
      await tailer.stop();
      for (let more = true; more && !deadline.aborted; ) {
        more = await tailer.pass(true);
        while (!delivery.empty && !deadline.aborted) await delivery.change(deadline);
      }
      await delivery.close();
      await checkpoint.close();
      if (!delivery.empty)
        log.warn('stopped with undelivered records: they are read again', { event: 'undelivered' });
      for (const generation of catalogue.generations()) generation.close();
    },
    crash: async () => {
      await tailer.abandon();
      checkpoint.abandon();
      await delivery.close();
      for (const generation of catalogue.generations()) generation.close();
    },
  };
}

/** Returns the directory that contains everything a glob can match. */
function baseOf(glob: string): string {
  const full = resolve(glob);
  const wild = full.search(/[*?[{]/);
  return dirname(wild === -1 ? full : `${full.slice(0, wild)}x`);
}
