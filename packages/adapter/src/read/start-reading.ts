import { type Context, errorText, monotonic, sizeByMemory, throttle } from '@sidekit/core';
import { openSpools, type ReceivedInput } from '../input/spool/open-spools.ts';
import type { Spool } from '../input/spool/spool.ts';
import { adapterMetrics } from '../observe/own-counters.ts';
import { registerStateMetrics } from '../observe/own-gauges.ts';
import type { adapterTable } from '../options/table.ts';
import { PayloadPool } from '../output/batch.ts';
import { outputsFor } from '../output/outputs-for.ts';
import { refuseOwnOutput } from '../output/own-stdout.ts';
import { pipelinesFor } from '../pipeline/pipeline-for.ts';
import { parking } from '../state/parking.ts';
import { stateDirectoryOf } from '../state/state-directory.ts';
import { removeTemporary, StateFile } from '../state/state-file.ts';
import { Catalogue } from '../tail/catalogue.ts';
import { Checkpoint } from '../tail/checkpoint.ts';
import { removeIfDelivered } from '../tail/delivered-files.ts';
import { mostOpenFiles } from '../tail/descriptors.ts';
import { Globs } from '../tail/glob.ts';
import { Tailer } from '../tail/tailer.ts';
import { removeUnpacked, Unpacker } from '../tail/unpacker.ts';
import { laneFor } from './lane.ts';

const CHUNK = 256 * 1024;

type Parts = Pick<
  Context<(typeof adapterTable)['options']>,
  'options' | 'log' | 'metrics' | 'health'
>;

/** The reading of all records, from files and spools. */
export interface Reading {
  /** The spools to which listeners add. */
  readonly spools: ReadonlyMap<ReceivedInput, Spool>;
  /** Polls all files and reads as far as there is room. */
  readonly tailer: Tailer;
  /** Resolves once everything that was read is delivered and saved. */
  settled(): Promise<void>;
  /** Reads and delivers the rest within the grace period, and saves the state. */
  stop(): Promise<void>;
  /** Ends immediately, as a crash does: nothing more is read, delivered or saved. */
  crash(): Promise<void>;
}

/** Starts reading: files → generations → lines → records → batches → outputs → state; with `follow: false` the caller polls. */
export function startReading(
  { options: given, log, metrics: registry, health }: Parts,
  {
    follow = true,
    now = monotonic,
    wall = Date.now,
    mostOpen = mostOpenFiles(),
  }: { follow?: boolean; now?: () => number; wall?: () => number; mostOpen?: number } = {},
): Reading {
  // First, so that nothing else makes it ready before the files are known.
  const firstScan = health.condition('first scan', 'startup', 'ready');
  const outputs = outputsFor(given);
  const most = given.bufferBytes * outputs.length;
  const buffers = sizeByMemory({ share: 1 / 32, least: 64 * 1024 * outputs.length, most });
  const options = { ...given, bufferBytes: Math.floor(Math.min(buffers, most) / outputs.length) };
  const stateDirectory = stateDirectoryOf(options);
  const spools = openSpools(options, {
    ...{ log, health, wall, registry },
    directory: `${stateDirectory}/spool`,
    remove: (path) => removeIfDelivered(path, catalogue, consumers),
  });
  const spoolPaths = new Map(Array.from(spools, ([input, { path }]) => [path, input]));
  const globs = new Globs(options.include, options.exclude, [...spoolPaths.keys()]);
  if (outputs.some(({ name }) => name === 'stdout')) refuseOwnOutput(globs);
  const metrics = adapterMetrics(registry);
  // As much as can be in use at a time: a buffer doubles as it fills.
  const pool = new PayloadPool(2 * (options.bufferBytes + 2 * options.batchBytes) * outputs.length);

  const file = new StateFile(stateDirectory, log);
  const saved = file.load();
  const unpacked = `${stateDirectory}/unpacked`;
  removeTemporary(stateDirectory);
  removeUnpacked(unpacked);
  const unpacker = new Unpacker({ directory: unpacked, limit: options.heldBytes, log, now });
  const catalogue = new Catalogue({
    globs,
    outputs: outputs.map(({ name }) => name),
    startAt: (path) => (spoolPaths.has(path) ? 'beginning' : options.startAt),
    isOwn: (path) => spoolPaths.has(path),
    firstStart: file.isNew,
    rotatedDirectories: options.rotatedDir,
    unpacker,
    mostOpenFiles: mostOpen,
    forgetAfter: options.rotateWait,
    log,
    now,
    wall,
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
      ? parking(`${stateDirectory}/parked`, options.parkBytes, log)
      : undefined;
  const pipelineFor = pipelinesFor(options, {
    metrics,
    registry,
    pool,
    now,
    wall,
    spools: spoolPaths,
  });
  const lanes = outputs.map((output, i) =>
    laneFor(output, {
      ...{ options, metrics, log, park, now, pipelineFor },
      condition: health.condition(`output ${output.name}`),
      onDelivered: ({ marks, payload }) => {
        for (const [generation, mark] of marks) generation.cursors[i]!.acked = mark;
        pool.give(payload);
        checkpoint.soon();
        for (const spool of spools.values()) spool.release();
      },
      onRoom: () => {
        if (follow) tailer.resume();
      },
    }),
  );
  const consumers = lanes.map(({ consumer }) => consumer);
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

  const tailer = new Tailer(catalogue, consumers, {
    ...options,
    chunk: Math.max(CHUNK, options.maxLine + 1024),
    log,
    now,
    wall,
    onNewGeneration: () => checkpoint.now(),
    onEnded: () => checkpoint.soon(),
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
      firstScan.pass();
      const logs = catalogue.logs.size;
      if (logs > 0) log.info('following logs', { event: 'following', logs });
      else log.warn('no file matches yet', { event: 'no_match' });
    },
  });
  registerStateMetrics(registry, catalogue, deliveries, now);
  if (follow) tailer.start();
  const closeSpools = () => {
    for (const spool of spools.values()) spool.close();
  };
  return {
    spools,
    tailer,
    settled: async () => {
      const never = new AbortController().signal;
      while (!isIdle()) await change(never);
      await checkpoint.now();
    },
    stop: async () => {
      const deadline = AbortSignal.timeout(Math.max(100, options.gracePeriod * 0.8));
      closeSpools();
      await tailer.stop();
      // What was written last is in no scan yet, whether or not deliveries are under way.
      let more = await tailer.pass(true);
      // After each delivery, since an output that accepts nothing must not keep the rest from others.
      while ((more || !isIdle()) && !deadline.aborted) {
        if (!isIdle()) await change(deadline);
        more = await tailer.pass(true, isIdle());
      }
      await Promise.all(deliveries.map((delivery) => delivery.close()));
      await checkpoint.close();
      if (!isIdle())
        log.warn('stopped with undelivered records: they are read again', { event: 'undelivered' });
      for (const generation of catalogue.generations()) generation.close();
    },
    crash: async () => {
      closeSpools();
      await tailer.abandon();
      checkpoint.abandon();
      await Promise.all(deliveries.map((delivery) => delivery.close()));
      for (const generation of catalogue.generations()) generation.close();
    },
  };
}
