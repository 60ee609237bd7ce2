import assert from 'node:assert/strict';
import { appendFileSync, existsSync, readdirSync, readFileSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Health, silentLog } from '@sidekit/core';
import { eventually, temporaryDirectory } from '@sidekit/test-kit';
import { fill, volume } from '../../testing/volume.ts';
import { Spool } from './spool.ts';
import { readLine } from './spool-line.ts';

const MIB = 1024 * 1024;

function open(directory: string, remove: (path: string) => boolean = () => false) {
  const health = new Health();
  const wall = () => 1_795_000_000_000;
  const options = { directory, name: 'syslog', limit: MIB, log: silentLog, health, wall, remove };
  return { health, spool: new Spool(options) };
}

function messagesIn(path: string): string[] {
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => readLine(line).message);
}

test('what cannot be written to a full volume is written once there is room, and nothing twice', async () => {
  using directory = temporaryDirectory();
  const small = join(directory.path, 'small');
  using _ = volume(small, '256k');
  const { spool, health } = open(join(small, 'spool'));
  let room = 0;
  spool.onRoom(() => room++);
  const filler = join(small, 'filler');
  spool.add(Buffer.from('before'), false);
  await eventually(() => messagesIn(spool.path).length === 1, { what: 'the first message' });
  fill(filler);
  const texts = Array.from({ length: 500 }, (_one, i) => `${i} ${'x'.repeat(100)}`);
  for (const text of texts) spool.add(Buffer.from(text), false);
  await eventually(() => !spool.hasRoom, { what: 'no room' });
  assert.match(JSON.stringify(health.report('ready').warnings), /ENOSPC/);
  unlinkSync(filler);
  await eventually(() => spool.hasRoom, { what: 'room' });
  assert.deepEqual(messagesIn(spool.path), ['before', ...texts]);
  assert.equal(room, 1);
  assert.deepEqual(health.report('ready').warnings, []);
  spool.close();
});

test('a restart counts what is left, ends a torn line, and removes only what was delivered', () => {
  using directory = temporaryDirectory();
  const removed = new Set<string>();
  const message = Buffer.alloc(60_000, 'x');
  const first = open(directory.path).spool;
  for (let i = 0; i < 20; i++) first.add(message, false);
  assert.equal(first.hasRoom, false);
  first.close();
  const files = readdirSync(directory.path).filter((name) => name !== 'syslog.log');
  assert.ok(files.length >= 5, files.join());
  appendFileSync(first.path, 'torn');

  const { spool } = open(directory.path, (path) => {
    if (removed.size === 3) return false;
    removed.add(path);
    unlinkSync(path);
    return true;
  });
  assert.equal(spool.hasRoom, false);
  assert.ok(spool.bytes > 20 * message.length);
  let room = 0;
  spool.onRoom(() => room++);
  spool.release();
  assert.equal(room, 1);
  assert.deepEqual(
    [...removed],
    files
      .toSorted()
      .slice(0, 3)
      .map((name) => join(directory.path, name)),
  );
  spool.add(Buffer.from('next'), true);
  spool.close();
  assert.deepEqual(messagesIn(spool.path).slice(-2), ['torn', 'next']);
  assert.ok(existsSync(spool.path));
});
