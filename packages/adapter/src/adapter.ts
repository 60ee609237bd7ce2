import { dirname, join, resolve } from 'node:path';
import { type Context, defineSidecar, errorText, sizeByMemory, throttle } from '@sidekit/core';
import { startStatsd } from './input/statsd/server.ts';
import { adapterMetrics } from './observe/own-counters.ts';
import { registerStateMetrics } from './observe/own-gauges.ts';
import { adapterTable } from './options/table.ts';
import { PayloadPool } from './output/batch.ts';
import { Delivery } from './output/delivery.ts';
import { outputsFor } from './output/outputs-for.ts';
import { refuseOwnOutput } from './output/own-stdout.ts';
import { replayParked } from './output/replay.ts';
import { pipelinesFor } from './pipeline/pipeline-for.ts';
import { parking } from './state/parking.ts';
import { removeTemporary, StateFile } from './state/state-file.ts';
import { Catalogue } from './tail/catalogue.ts';
import { Checkpoint } from './tail/checkpoint.ts';
import { mostOpenFiles } from './tail/descriptors.ts';
import { Globs } from './tail/glob.ts';
import type { LineConsumer } from './tail/line-consumer.ts';
import { LineSplitter } from './tail/line-splitter.ts';
import { Tailer } from './tail/tailer.ts';
import { removeUnpacked, Unpacker } from './tail/unpacker.ts';

const CHUNK = 256 * 1024;

/** The adapter: files → generations → lines → records → batches → outputs → state. */
export const adapter = defineSidecar({
  table: adapterTable,
  run: async (context) => {
    if (context.options.replay) {
      await replay(context);
      return;
    }
    const statsd = await startStatsd(context);
    if (statsd) context.onStop('statsd', statsd.close);
    const running = context.options.include.length > 0 ? startAdapter(context) : undefined;
    await context.stopped;
    await running?.stop();
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
        now: Date.now,
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
  { options: given, log, metrics: registry, health }: Parts,
  {
    follow = true,
    now = Date.now,
    mostOpen = mostOpenFiles(),
  }: { follow?: boolean; now?: () => number; mostOpen?: number } = {},
): RunningAdapter {
  const outputs = outputsFor(given);
  const most = given.bufferBytes * outputs.length;
  const buffers = sizeByMemory({ share: 1 / 32, least: 64 * 1024 * outputs.length, most });
  const options = { ...given, bufferBytes: Math.floor(Math.min(buffers, most) / outputs.length) };
  const globs = new Globs(options.include, options.exclude);
  if (outputs.some(({ name }) => name === 'stdout')) refuseOwnOutput(globs);
  const metrics = adapterMetrics(registry);
  // As many as can be in use at a time: allocating new ones keeps the garbage collector busy.
  const inUse = Math.min(20, Math.ceil(options.bufferBytes / options.batchBytes) + 2);
  const pool = new PayloadPool(options.batchBytes * 2 + CHUNK * 2, inUse * outputs.length);
  const stateDirectory = stateDirectoryOf(options);

  const file = new StateFile(stateDirectory, log);
  const saved = file.load();
  const unpacked = join(stateDirectory, 'unpacked');
  removeTemporary(stateDirectory);
  removeUnpacked(unpacked);
  const unpacker = new Unpacker({ directory: unpacked, limit: options.heldBytes, log, now });
  const catalogue = new Catalogue({
    globs,
    outputs: outputs.map(({ name }) => name),
    startAt: options.startAt,
    firstStart: file.isNew,
    rotatedDirectories: options.rotatedDir,
    unpacker,
    mostOpenFiles: mostOpen,
    forgetAfter: options.rotateWait,
    log,
    now,
    onEvent: (event) => metrics[`${event}s`].inc(),
  });
  catalogue.restore(saved);
  const checkpoint = new Checkpoint({
    file,
    catalogue,
    interval: options.checkpointInterval,
    metrics,
    condition: health.condition('state'),
    log,
  });

  const park =
    options.refused === 'park'
      ? parking(join(stateDirectory, 'parked'), options.parkBytes, log)
      : undefined;
  const pipelineFor = pipelinesFor(options, { metrics, registry, pool, now });
  const lanes = outputs.map((output, i) => {
    const condition = health.condition(`output ${output.name}`);
    condition.pass();
    const delivery = new Delivery(output, {
      retry: { base: options.retryBase, cap: options.retryCap },
      metrics,
      log,
      condition,
      park,
      now,
      onDelivered: ({ marks, payload }) => {
        for (const [generation, mark] of marks) generation.cursors[i]!.acked = mark;
        pool.give(payload);
        checkpoint.soon();
        if (follow && waiting) tailer.resume();
      },
      onIdle: () => pipeline.flush(),
    });
    const pipeline = pipelineFor(output.encoding, delivery);
    let waiting = false;
    const splitter = new LineSplitter(
      {
        maxLine: options.maxLine,
        longLines: options.longLines,
        onLongLine: () => metrics.longLines.inc(),
      },
      pipeline,
    );
    const consumer: LineConsumer = {
      splitter,
      hasRoom: () => {
        waiting = !pipeline.hasRoom();
        return !waiting;
      },
      partial: (generation, text, offset) => pipeline.partial(generation, text, offset),
      mark: (generation, read) => pipeline.mark(generation, read),
      settle: (generation, read, idle, final) => pipeline.settle(generation, read, idle, final),
      flush: () => pipeline.flush(),
      close: (generation) => pipeline.close(generation),
    };
    return { delivery, consumer };
  });
  const deliveries = lanes.map(({ delivery }) => delivery);
  const change = (signal: AbortSignal) =>
    Promise.race(deliveries.filter(({ idle }) => !idle).map((one) => one.change(signal)));
  const isIdle = () => deliveries.every(({ idle }) => idle);
  const reading = health.condition('reading');
  reading.pass();
  const logUnreadable = throttle(10_000, () =>
    log.error('a log file cannot be read; trying again', unreadable),
  );
  let unreadable = {};
  let scanned = false;
  const noFile = health.warning('include');
  const reportUnmatched = () => {
    if (globs.unmatched.size === 0) noFile.clear();
    else
      noFile.set(
        `no file matches ${[...globs.unmatched].join(', ')} so far: does the application write there, and do both containers mount the volume?`,
      );
  };

  const tailer = new Tailer(
    catalogue,
    lanes.map(({ consumer }) => consumer),
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
      onPoll: (failures) => {
        const [first] = failures;
        if (first === undefined) {
          reading.pass();
          return;
        }
        const [path, error] = first;
        unreadable = { event: 'file_failed', path, files: failures.size, error: errorText(error) };
        reading.warn(`${failures.size} files cannot be read, such as ${path}: ${errorText(error)}`);
        logUnreadable();
      },
      onScanned: () => {
        reportUnmatched();
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
  registerStateMetrics(registry, catalogue, deliveries, now);
  if (follow) tailer.start();
  return {
    tailer,
    settled: async () => {
      const never = new AbortController().signal;
      while (!isIdle()) await change(never);
      await checkpoint.now();
    },
    stop: async () => {
      const deadline = AbortSignal.timeout(Math.max(100, options.gracePeriod * 0.8));
      await tailer.stop();
      for (let more = true; more && !deadline.aborted; ) {
        more = await tailer.pass(true);
        while (!isIdle() && !deadline.aborted) await change(deadline);
      }
      await Promise.all(deliveries.map((delivery) => delivery.close()));
      await checkpoint.close();
      if (!isIdle())
        log.warn('stopped with undelivered records: they are read again', { event: 'undelivered' });
      for (const generation of catalogue.generations()) generation.close();
    },
    crash: async () => {
      await tailer.abandon();
      checkpoint.abandon();
      await Promise.all(deliveries.map((delivery) => delivery.close()));
      for (const generation of catalogue.generations()) generation.close();
    },
  };
}

function stateDirectoryOf({ state, include }: Parts['options']): string {
  return state ?? join(baseOf(include[0] ?? '.'), '.adapter');
}

/** Returns the directory that contains everything a glob can match. */
function baseOf(glob: string): string {
  const full = resolve(glob);
  const wild = full.search(/[*?[{]/);
  return dirname(wild === -1 ? full : `${full.slice(0, wild)}x`);
}
