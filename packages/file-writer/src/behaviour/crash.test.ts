import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { TEMPORARY_PREFIX } from '@sidekit/core';
import { temporaryDirectory } from '@sidekit/test-kit';
import type { Content, TreeContent } from '../content.ts';
import { Target } from '../publish/target.ts';
import { type Fault, faultyFileSystem } from '../testing/faulty-file-system.ts';
import { writeSettings } from '../testing/write-settings.ts';

const OLD = Buffer.from('old content');
const NEW = Buffer.from('the new and longer content');
const MORE = Buffer.from('third');

const file = (...chunks: Buffer[]): Content => ({ kind: 'file', chunks });
const tree = (text: Buffer): TreeContent => ({
  kind: 'tree',
  entries: [
    { path: 'a', chunks: [text] },
    { path: 'sub/b', chunks: [text, text], executable: true },
    { path: 'sub/link', link: '../a' },
  ],
});

/** Reads what a reader sees: a file, or all files of a tree; undefined if there is nothing. */
function read(target: string): string | undefined {
  if (!existsSync(target)) return undefined;
  const paths = ['a', 'sub/b', 'sub/link'].map((path) => join(target, path));
  if (!existsSync(paths[0]!)) return readFileSync(target, 'utf8');
  return paths.map((path) => readFileSync(path, 'utf8')).join('|');
}

const FAULTS: readonly Fault[] = [
  { kind: 'error', code: 'ENOSPC' },
  { kind: 'stop' },
  { kind: 'stop-after' },
  { kind: 'stop-half' },
];

const SHAPES: readonly [name: string, make: (text: Buffer) => Content][] = [
  ['a file', (text) => file(text.subarray(0, 3), text.subarray(3))],
  ['a tree', tree],
];

for (const [shape, make] of SHAPES) {
  for (const before of [undefined, OLD]) {
    const what = before ? 'replacing' : 'first making';
    test(`a fault or crash at any call of ${what} ${shape} leaves the old or the new content`, async () => {
      let runs = 0;
      const [fresh, third] = [await expected(make, NEW), await expected(make, MORE)];
      for (const fault of FAULTS) {
        for (let at = 0; ; at++) {
          using directory = temporaryDirectory();
          const path = join(directory.path, 'target');
          if (before) await new Target(writeSettings(path)).publish(make(before));
          const old = read(path);
          const { fileSystem, calls } = faultyFileSystem(at, fault);
          const target = new Target(writeSettings(path, { fileSystem }));
          const outcome = await target.publish(make(NEW)).catch((error) => error);
          if (calls.length <= at) break;
          runs++;
          const place = `${JSON.stringify(fault)} at call ${at} (${calls[at]})`;
          const now = read(path);
          assert.ok(now === old || now === fresh, `${place}: a reader sees ${now}`);
          if (!(outcome instanceof Error)) assert.equal(now, fresh, place);

          // The next start removes leftovers, and then everything works.
          const next = new Target(writeSettings(path));
          await next.open();
          assert.deepEqual(leftovers(directory.path), [], place);
          await next.publish(make(MORE));
          assert.equal(read(path), third, place);
        }
      }
      assert.ok(runs > 30, `only ${runs} runs`);
    });
  }
}

test('errors without a crash remove what they began', async () => {
  for (const [, make] of SHAPES) {
    for (let at = 0; ; at++) {
      using directory = temporaryDirectory();
      const path = join(directory.path, 'target');
      const { fileSystem, calls } = faultyFileSystem(at, { kind: 'error', code: 'ENOSPC' });
      await new Target(writeSettings(path, { fileSystem })).publish(make(NEW)).catch(() => {});
      if (calls.length <= at) break;
      // Only a failed clean-up may leave something, and the next start removes it.
      if (['unlink', 'rm'].includes(calls[at]!)) continue;
      assert.deepEqual(leftovers(directory.path), [], `${at} ${calls[at]}`);
    }
  }
});

test('a process that kills itself at any call leaves the old or the new content', async () => {
  const program = fileURLToPath(new URL('../testing/crash-program.ts', import.meta.url));
  for (const shape of ['file', 'tree']) {
    const make = shape === 'file' ? (text: Buffer) => file(text) : tree;
    const step = shape === 'file' ? 1 : 4;
    for (let at = 0; ; at += step) {
      using directory = temporaryDirectory();
      const path = join(directory.path, 'target');
      await new Target(writeSettings(path)).publish(make(OLD));
      const old = read(path);
      const run = promisify(execFile)(process.execPath, [program, path, shape, String(at)]);
      const ended = await run.then(
        () => 'done',
        (error) => error.signal,
      );
      const now = read(path);
      const fresh = await expected(make, NEW);
      assert.ok(now === old || now === fresh, `call ${at}: a reader sees ${now}`);
      const next = new Target(writeSettings(path));
      await next.open();
      assert.deepEqual(leftovers(directory.path), []);
      if (ended === 'done') {
        assert.equal(now, fresh);
        break;
      }
      assert.equal(ended, 'SIGKILL');
    }
  }
});

async function expected(make: (text: Buffer) => Content, text: Buffer) {
  using directory = temporaryDirectory();
  const path = join(directory.path, 'target');
  await new Target(writeSettings(path)).publish(make(text));
  return read(path);
}

function leftovers(directory: string): string[] {
  mkdirSync(directory, { recursive: true });
  return readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((path) =>
    basename(path).startsWith(TEMPORARY_PREFIX),
  );
}
