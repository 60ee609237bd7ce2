import { dirname, join, resolve } from 'node:path';
import { type Context, defineSidecar } from '@sidekit/core';
import { adapterMetrics } from './observe/own-counters.ts';
import { adapterTable } from './options/table.ts';
import { Delivery } from './output/delivery.ts';
import { outputsFor } from './output/outputs-for.ts';
import { registerStateMetrics } from './observe/own-gauges.ts';
import { PayloadPool } from './output/batch.ts';
import { pipelineFor } from './pipeline/pipeline-for.ts';
import { LineSplitter } from './tail/line-splitter.ts';
import { Checkpoint } from './tail/checkpoint.ts';
import { parking } from './state/parking.ts';
import { StateFile } from './state/state-file.ts';
import { Catalogue } from './tail/catalogue.ts';
import { Globs } from './tail/glob.ts';
import { Tailer } from './tail/tailer.ts';

const CHUNK = 256 * 1024;

/** Files → generations → lines → records → batches → outputs → acknowledged → state. */
export const adapter = defineSidecar({
  table: adapterTable,
  run: async (context) => {
    const running = startAdapter(context);
    await new Promise<void>((done) => context.stopping.addEventListener('abort', () => done()));
    await running.stop();
  },
});

type Parts = Pick<
  Context<(typeof adapterTable)['options']>,
  'options' | 'log' | 'metrics' | 'health'
>;

export interface RunningAdapter {
  /** Looks at all files and reads what there is room for. */
  readonly tailer: Tailer;
  /** Resolves once all that was read is delivered and kept in the state. */
  settled(): Promise<void>;
  /** Reads and delivers what is there, within the grace period, and keeps the state. */
  stop(): Promise<void>;
  /** Ends at once, as a crash does: nothing more is read, delivered or kept. */
  crash(): Promise<void>;
}

/** Puts the parts together and starts reading; `follow: false` leaves the looking to the caller. */
export function startAdapter(
  { options, log, metrics: registry, health }: Parts,
  { follow = true, now = Date.now }: { follow?: boolean; now?: () => number } = {},
): RunningAdapter {
  const metrics = adapterMetrics(registry);
  const outputs = outputsFor(options);
  const encodings = [...new Map(outputs.map(({ encoding }) => [encoding.name, encoding])).values()];
  // As many as may be under way: beyond, fresh ones would keep the collector at work.
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
  let looked = false;

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
        if (looked) return;
        looked = true;
        health.condition('first look', 'startup', 'ready').pass();
        const logs = catalogue.logs.size;
        if (logs > 0) log.info('following logs', { logs });
        else log.warn('no file matches yet; looking again at each poll');
      },
    },
  );
  health.condition('first look', 'startup', 'ready');
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
      if (!delivery.empty) log.warn('stopped with records undelivered: they are read again');
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

/** The fixed part of a glob: the directory that holds everything it can match. */
function baseOf(glob: string): string {
  const full = resolve(glob);
  const wild = full.search(/[*?[{]/);
  return dirname(wild === -1 ? full : `${full.slice(0, wild)}x`);
}
