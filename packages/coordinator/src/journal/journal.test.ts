import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { silentLog } from '@sidekit/core';
import { temporaryDirectory } from '@sidekit/test-kit';
import { EMPTY, FileJournal } from './journal.ts';

test('what was saved is loaded, and a new volume is empty', async () => {
  using directory = temporaryDirectory('journal');
  const journal = new FileJournal(join(directory.path, 'new'), silentLog);
  assert.deepEqual(await journal.load(), EMPTY);
  const run = { sequence: 'a', digest: 'd', part: 'steps', step: 1, begun: true } as const;
  const state = { ...EMPTY, started: true, pending: ['b'], run };
  await journal.save(state);
  assert.deepEqual(await journal.load(), state);
});

test('a journal that is none is moved aside, and one that cannot be read is explained', async () => {
  using directory = temporaryDirectory('journal');
  const path = join(directory.path, 'journal.json');
  const journal = new FileJournal(directory.path, silentLog);
  for (const text of ['', '{', 'null', '[]', '{"version":2}', '{"version":1,"started":true}']) {
    writeFileSync(path, text);
    assert.deepEqual(await journal.load(), EMPTY, text);
    assert.ok(readdirSync(directory.path).includes('journal.json.invalid'));
  }
  writeFileSync(path, ' '.repeat(4 * 1024 * 1024 + 1));
  assert.deepEqual(await journal.load(), EMPTY);
  execFileSync('mkfifo', [path]);
  await assert.rejects(journal.load(), /not a regular file\): give a writable directory/);
});

test('of two coordinators with one directory, the one that started last continues', async () => {
  using directory = temporaryDirectory('journal');
  const first = new FileJournal(directory.path, silentLog);
  await first.load();
  await first.save(EMPTY);
  await first.save({ ...EMPTY, pending: ['a'] });
  const second = new FileJournal(directory.path, silentLog);
  assert.deepEqual((await second.load()).pending, ['a']);
  await second.save({ ...EMPTY, pending: ['b'] });
  for (let i = 0; i < 2; i++) {
    await assert.rejects(
      first.save(EMPTY),
      /another program has written .*journal\.json: give each/,
    );
  }
  await second.save({ ...EMPTY, pending: ['c'] });
  assert.deepEqual((await new FileJournal(directory.path, silentLog).load()).pending, ['c']);
});

test('a directory that was emptied meanwhile is written again', async () => {
  using directory = temporaryDirectory('journal');
  const journal = new FileJournal(directory.path, silentLog);
  await journal.load();
  await journal.save(EMPTY);
  rmSync(join(directory.path, 'journal.json'));
  await journal.save({ ...EMPTY, pending: ['a'] });
  assert.deepEqual((await journal.load()).pending, ['a']);
});
