import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { TEMPORARY_PREFIX } from '@sidekit/core';
import { propertyParameters, temporaryDirectory, until } from '@sidekit/test-kit';
import type { ReaderReport } from '../testing/reader-worker.ts';
import { writeSettings } from '../testing/write-settings.ts';
import { Target } from './target.ts';

const READERS = 2;
const writer = fileURLToPath(new URL('../testing/writer-program.ts', import.meta.url));
const reader = new URL('../testing/reader-worker.ts', import.meta.url);

/** SIDEKIT_RUNS=50 makes it a million reads of each shape. */
const reads = propertyParameters(20_000).numRuns ?? 0;
/** How many versions the readers must have met, for the reads to prove something. */
const VERSIONS = reads >= 1_000_000 ? 200 : 60;

for (const shape of ['file', 'tree']) {
  test(`no read of a ${shape} is torn or missing while it is replaced and its writer is killed (${reads} reads)`, async () => {
    using directory = temporaryDirectory('torn');
    const path = join(directory.path, 'target');
    let kills = 0;
    let running = true;
    let child = start(path, shape);
    const killing = (async () => {
      // At random instants, after some progress: a busy machine may start it slowly.
      while (running) {
        await Promise.race([ended(child), published(child, Math.random() * 200)]);
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 20));
        child.kill('SIGKILL');
        await ended(child);
        kills++;
        if (running) child = start(path, shape);
      }
    })();
    await until(() => readdirSync(directory.path).includes('target'), { what: 'first content' });
    const reports = await Promise.all(
      Array.from({ length: READERS }, () => read(path, shape, Math.ceil(reads / READERS))),
    );
    running = false;
    child.kill('SIGKILL');
    await killing;

    assert.deepEqual(
      reports.flatMap(({ problems }) => problems),
      [],
    );
    const versions = reports.reduce((sum, report) => sum + report.changes, 0);
    assert.ok(versions >= VERSIONS, `the readers saw only ${versions} changes`);
    assert.ok(kills > 0, 'the writer was never killed');

    await new Target(writeSettings(path)).open();
    const left = readdirSync(directory.path, { recursive: true, encoding: 'utf8' });
    assert.deepEqual(
      left.filter((name) => basename(name).startsWith(TEMPORARY_PREFIX)),
      [],
    );
  });
}

function start(path: string, shape: string) {
  return spawn(process.execPath, [writer, path, shape], { stdio: ['ignore', 'pipe', 'inherit'] });
}

/** Resolves when the writer has published so many versions; it prints a dot for each. */
function published(child: ReturnType<typeof start>, count: number): Promise<void> {
  let seen = 0;
  return new Promise((resolve) => {
    child.stdout.on('data', (dots: Buffer) => {
      seen += dots.length;
      if (seen > count) resolve();
    });
  });
}

function ended(child: ReturnType<typeof spawn>): Promise<unknown> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => child.once('exit', resolve));
}

function read(path: string, shape: string, count: number): Promise<ReaderReport> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(reader, { workerData: { path, shape, count } });
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}
