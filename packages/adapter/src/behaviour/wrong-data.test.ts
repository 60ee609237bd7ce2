import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { programFile, temporaryDirectory } from '@sidekit/test-kit';
import { HandDriven } from '../testing/hand-driven.ts';
import { Receiver } from '../testing/receiver.ts';
import { scene } from '../testing/scene.ts';

test('a number that is too small for a time of day stays the field that it is', async () => {
  await using s = await scene({ format: 'json', fileFields: [] });
  const lines = ['{"t":21.5}', '{"ts":0,"t":-5e8}', '{"timestamp":1700000000}', '{"t":99999999}'];
  s.write(`${lines.join('\n')}\n`);
  await s.settle();
  assert.deepEqual(s.receiver.records, [
    { t: 21.5 },
    { ts: 0, t: -500_000_000 },
    { time: '2023-11-14T22:13:20Z' },
    { t: 99_999_999 },
  ]);
});

test('the virtual host in front of a combined line is a field of its own', async () => {
  await using s = await scene({ format: 'combined', fileFields: [] });
  const rest = '- frank [21/Nov/2026:05:05:00 +0000] "GET / HTTP/1.1" 200 17 "-" "curl/8"';
  s.write(`shop.example:443 10.0.0.1 ${rest}\n10.0.0.1 ${rest}\n2001:db8::1:80 ${rest}\n`);
  await s.settle();
  assert.deepEqual(
    s.receiver.records.map(({ vhost, remote_addr, ident, remote_user }) => [
      vhost,
      remote_addr,
      ident,
      remote_user,
    ]),
    [
      ['shop.example:443', '10.0.0.1', undefined, 'frank'],
      [undefined, '10.0.0.1', undefined, 'frank'],
      [undefined, '2001:db8::1:80', undefined, 'frank'],
    ],
  );
});

for (const [writer, ...blocks] of [
  ['stdio', 4096],
  ['Java', 8192, 8192, 8191],
  ["Python's print", 8162, 8177, 8192, 8137, 2 * 8192 - 55],
] as const) {
  test(`lines of a writer with the buffers of ${writer} are not cut where its blocks end, also in a rotated file`, async () => {
    await using s = await scene({ partialFlush: '1s' });
    const lines = Array.from({ length: 1000 }, (_, i) => `line ${i} ${'x'.repeat(i % 60)}`);
    const content = Buffer.from(`${lines.join('\n')}\n`);
    let path = s.live;
    for (let at = 0, i = 0; at < content.length; i++) {
      const next = at + blocks[i % blocks.length]!;
      appendFileSync(path, content.subarray(at, next));
      at = next;
      // A writer that does not open the new file goes on in the rotated one.
      if (i === 2) {
        path = `${s.live}.1`;
        renameSync(s.live, path);
      }
      await s.settle();
      s.clock.now += 30_000;
      await s.settle();
    }
    assert.deepEqual(s.messages(), lines);
  });
}

/** A message of so many bytes that a crash left without a line feed. */
const lastWords = (length: number) => 'panic: '.padEnd(length, 'x');

test('the unfinished message of a program that wrote lines appears soon, whatever its size', async () => {
  await using s = await scene({ partialFlush: '1s' });
  const write = async (text: string) => {
    s.write(text);
    await s.settle();
    s.clock.now += 300;
  };
  for (let i = 0; i < 6; i++) await write(`line ${i}\n`);
  await write(lastWords(4096));
  s.clock.now += 1000;
  await s.settle();
  assert.equal(s.messages().at(-1), lastWords(4096));
});

test('an unfinished line that is as old as the next block could be is passed on at once', async () => {
  await using s = await scene({ partialFlush: '1s' });
  s.write(lastWords(4096));
  const at = s.clock.now / 1000;
  utimesSync(s.live, at - 601, at - 601);
  await s.settle();
  s.clock.now += 1000;
  await s.settle();
  assert.deepEqual(s.messages(), [lastWords(4096)]);
});

test('an unfinished line at the end of a first block waits ten minutes for its rest', async () => {
  await using s = await scene({ partialFlush: '1s' });
  s.write(lastWords(4096));
  await s.settle();
  s.clock.now += 599_000;
  utimesSync(s.live, s.clock.now / 1000 - 599, s.clock.now / 1000 - 599);
  await s.settle();
  assert.deepEqual(s.messages(), []);
  s.clock.now += 1000;
  await s.settle();
  assert.deepEqual(s.messages(), [lastWords(4096)]);
});

test('an empty value, null and a list are not observed as 0', async () => {
  await using s = await scene({
    format: 'json',
    metrics: [{ name: 'took_seconds', type: 'histogram', field: 'took', buckets: [1] }],
  });
  for (const took of ['null', '""', '" "', '[]', 'true', '{}', '"0.5"', '2']) {
    s.write(`{"took":${took}}\n`);
  }
  await s.settle();
  assert.match(s.adapter.registry.render(), /^took_seconds_count 2$/m);
});

test('a file whose name holds the characters of a wildcard can be named, or escaped', async () => {
  await using s = await scene((directory) => ({
    include: [join(directory, 'logs/app[1].log'), join(directory, 'logs/b[[]2].log')],
  }));
  writeFileSync(join(s.logs, 'app[1].log'), 'one\n');
  writeFileSync(join(s.logs, 'b[2].log'), 'two\n');
  writeFileSync(join(s.logs, 'b2.log'), 'another\n');
  await s.settle();
  assert.deepEqual(s.messages().toSorted(), ['one', 'two']);
});

test('a standard output among the files that are read is refused', () => {
  using directory = temporaryDirectory('own');
  const out = join(directory.path, 'out.log');
  const fd = openSync(out, 'w');
  const main = programFile(new URL('../main.ts', import.meta.url));
  const include = join(directory.path, '*.log');
  const { status, stderr } = spawnSync(
    process.execPath,
    [main, '--include', include, '--admin', '127.0.0.1:0', '--state', join(directory.path, 's')],
    { stdio: ['ignore', fd, 'pipe'], encoding: 'utf8' },
  );
  closeSync(fd);
  assert.equal(status, 64, stderr);
  assert.match(stderr, /standard output goes to .*out\.log.*--exclude/);
});

test('with few descriptors every file is read, and read on', async () => {
  using directory = temporaryDirectory('descriptors');
  await using receiver = await Receiver.start();
  const logs = join(directory.path, 'logs');
  mkdirSync(logs);
  const clock = { now: Date.now() };
  const options = { include: [join(logs, '*.log')], output: [receiver.url] };
  const adapter = new HandDriven(directory.path, options, clock, undefined, 8);
  const names = Array.from({ length: 60 }, (_, i) => join(logs, `${i}.log`));
  const expected: string[] = [];
  for (let round = 0; round < 3; round++) {
    for (const name of names) {
      appendFileSync(name, `${round} of ${name}\n`);
      expected.push(`${round} of ${name}`);
    }
    for (let i = 0; i < 20; i++) {
      await adapter.settle();
      clock.now += 300;
    }
  }
  assert.deepEqual(receiver.records.map(({ message }) => message).toSorted(), expected.toSorted());
  assert.ok(adapter.metric('adapter_open_files') <= 8);
  await adapter.stop();
});

test('a reused inode does not change the file.id of the file that has it', async () => {
  await using s = await scene((directory) => ({ include: [join(directory, 'logs/*.log')] }));
  writeFileSync(join(s.logs, 'a.log'), 'one\n');
  await s.settle();
  await s.restart('stop', () => {
    // What the state holds if an older file had the inode of the newer one.
    const path = join(s.directory, 'state/state.json');
    const state = JSON.parse(readFileSync(path, 'utf8'));
    const [own] = state.generations;
    const older = { ...own, id: 'older', log: join(s.logs, 'b.log'), birth: '1' };
    writeFileSync(path, JSON.stringify({ ...state, generations: [own, older] }));
  });
  await s.settle();
  assert.deepEqual(s.messages(), ['one']);
});
