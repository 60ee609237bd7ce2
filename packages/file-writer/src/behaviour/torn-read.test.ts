import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { TEMPORARY_PREFIX } from '@sidekit/core';
import { eventually, propertyParameters, temporaryDirectory } from '@sidekit/test-kit';
import { Target } from '../publish/target.ts';
import type { ReaderReport } from '../testing/reader-worker.ts';
import { writeSettings } from '../testing/write-settings.ts';
import { writerThatIsKilled } from '../testing/writer-process.ts';

const READERS = 2;
const reader = new URL('../testing/reader-worker.ts', import.meta.url);

/** SIDEKIT_RUNS=50 makes it a million reads of each shape. */
const reads = propertyParameters(20_000).numRuns ?? 0;
/** The minimum number of versions that the readers must see for a meaningful result. */
const VERSIONS = reads >= 1_000_000 ? 200 : 60;

for (const shape of ['file', 'tree']) {
  test(`no read of a ${shape} is torn or missing while it is replaced and its writer is killed (${reads} reads)`, async () => {
    using directory = temporaryDirectory('torn');
    const path = join(directory.path, 'target');
    const writer = writerThatIsKilled(path, shape);
    await eventually(() => readdirSync(directory.path).includes('target'), {
      what: 'first content',
    });
    const reports = await Promise.all(
      Array.from({ length: READERS }, () => read(path, shape, Math.ceil(reads / READERS))),
    );
    const kills = await writer.stop();

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

function read(path: string, shape: string, count: number): Promise<ReaderReport> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(reader, { workerData: { path, shape, count } });
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}
