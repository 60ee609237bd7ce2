import assert from 'node:assert/strict';
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { silentLog } from '@sidekit/core';
import { temporaryDirectory } from '@sidekit/test-kit';
import { HandDriven } from '../testing/hand-driven.ts';
import { Receiver } from '../testing/receiver.ts';
import { scene } from '../testing/scene.ts';

test('lines as Windows writes them, a byte order mark, and bytes that are not UTF-8', async () => {
  await using s = await scene();
  appendFileSync(s.live, Buffer.from('\ufeffone\r\nt\u00fc\r\n'));
  appendFileSync(s.live, Buffer.from([0x61, 0xff, 0xfe, 0x62, 0x0a]));
  await s.settle();
  assert.deepEqual(s.messages(), ['one', 't\u00fc', 'a\ufffd\ufffdb']);
  assert.equal(s.adapter.metric('adapter_invalid_utf8_lines_total'), 1);
});

test('a line without its end is passed on as partial once nothing came for a while', async () => {
  await using s = await scene({ partialFlush: '500ms' });
  s.write('half');
  await s.settle();
  assert.deepEqual(s.messages(), []);
  s.clock.now += 500;
  await s.settle();
  assert.deepEqual(s.messages(), ['half']);
  assert.equal(s.receiver.records[0]?.partial, true);
});

test('a long line is split without a byte lost, or cut, and counted', async () => {
  const long = 'ü'.repeat(2000);
  {
    await using s = await scene({ maxLine: 1001 });
    s.write(`before\n${long}\nafter\n`);
    await s.settle();
    const pieces = s.messages().slice(1, -1);
    assert.equal(pieces.join(''), long);
    assert.ok(pieces.every((piece) => Buffer.byteLength(String(piece)) <= 1001));
    assert.equal(s.messages().at(-1), 'after');
    assert.equal(s.adapter.metric('adapter_long_lines_total'), 1);
  }
  await using s = await scene({ maxLine: 1000, longLines: 'cut' });
  s.write(`before\n${long}\nafter\n`);
  await s.settle();
  assert.deepEqual(s.messages(), ['before', 'ü'.repeat(500), 'after']);
  assert.equal(s.receiver.records[1]?.truncated, true);
});

for (const letter of ['x', 'ü']) {
  test(`a long line of ${letter} is split before its end is there, behind a line that is whole`, async () => {
    await using s = await scene({ maxLine: 1000 });
    const long = letter.repeat(3000);
    s.write(`before\n${long}`);
    await s.settle();
    s.write('the end\nafter\n');
    await s.settle();
    assert.equal(s.messages().slice(1, -1).join(''), `${long}the end`);
    assert.deepEqual([s.messages()[0], s.messages().at(-1)], ['before', 'after']);
  });
}

test('the lines of a stack trace are one record', async () => {
  await using s = await scene({ multilineStart: '^\\d{4}-' });
  const trace = '2026-11-21 boom\njava.lang.RuntimeException: x\n\tat A.b(A.java:1)\nCaused by: y';
  s.write(`${trace}\n2026-11-21 next\n`);
  await s.settle();
  assert.deepEqual(s.messages(), [trace]);
  s.clock.now += 5000;
  await s.settle();
  assert.deepEqual(s.messages(), [trace, '2026-11-21 next']);
});

test('an event that was held at a crash is read again as a whole', async () => {
  await using s = await scene({ multilineStart: '^\\d{4}-' });
  s.write('2026-1 a\n2026-2 b\n  more\n');
  await s.settle();
  await s.restart('crash');
  s.write('  still more\n2026-3 c\n');
  await s.settle();
  assert.deepEqual(s.messages(), ['2026-1 a', '2026-2 b\n  more\n  still more']);
});

test('parts that the container runtime cut are one message, by stream', async () => {
  await using s = await scene({ format: 'cri' });
  const at = '2016-10-06T00:17:09.669794202Z';
  s.write(`${at} stdout P one \n${at} stderr F other\n${at} stdout P two \n${at} stdout F three\n`);
  await s.settle();
  assert.deepEqual(s.messages(), ['other', 'one two three']);
});

test('compressed files and notes of editors are left out', async () => {
  await using s = await scene();
  await s.restart('stop');
  writeFileSync(`${s.live}.2.gz`, gzipSync('old\n'));
  writeFileSync(`${s.live}.3`, gzipSync('old\n'));
  writeFileSync(`${s.live}.swp`, 'x\n');
  s.write('one\n');
  await s.settle();
  assert.deepEqual(s.messages(), ['one']);
});

test('startAt end leaves out what was there, and nothing that comes', async () => {
  await using s = await scene({ startAt: 'end' });
  s.write('old\n');
  writeFileSync(`${s.live}.1`, 'older\n');
  await s.settle();
  s.write('new\n');
  await s.settle();
  renameSync(s.live, `${s.live}.2`);
  s.write('newer\n');
  await s.settle();
  assert.deepEqual(s.messages(), ['new', 'newer']);
});

test('a directory that appears later, and a glob over a tree like /var/log/pods', async () => {
  const directory = temporaryDirectory('tree');
  using _ = directory;
  await using receiver = await Receiver.start();
  const adapter = new HandDriven(
    directory.path,
    { include: [join(directory.path, 'pods/*/**/*.log')], output: [receiver.url] },
    { now: Date.now() },
    silentLog,
  );
  await adapter.settle();
  const container = join(directory.path, 'pods/ns_pod_uid/app');
  mkdirSync(container, { recursive: true });
  writeFileSync(join(container, '0.log'), 'here\n');
  await adapter.settle();
  await adapter.stop();
  assert.deepEqual(
    receiver.records.map(({ message }) => message),
    ['here'],
  );
});

test('a damaged state file is set aside, and everything is read again', async () => {
  await using s = await scene();
  s.write('one\n');
  await s.settle();
  await s.restart('stop', () =>
    writeFileSync(join(s.directory, 'state/state.json'), '{"version":1,'),
  );
  await s.settle();
  assert.deepEqual(s.messages(), ['one', 'one']);
  assert.match(s.errors.join(''), /damaged and set aside/);
  const names = readdirSync(join(s.directory, 'state'));
  assert.ok(names.some((name) => name.includes('.damaged-')));
});

test('a state directory that cannot be written is logged, and delivery continues', async () => {
  await using s = await scene({ state: '/proc/no/such' });
  s.write('one\n');
  await s.adapter.poll();
  s.write('two\n');
  await s.settle();
  assert.deepEqual(s.messages(), ['one', 'two']);
  assert.match(s.errors.join(''), /state cannot be written/);
  assert.match(JSON.stringify(s.adapter.health.report('ready').warnings), /state/);
});

test('the state holds no content and only its owner reads it', async () => {
  await using s = await scene();
  s.write('secret content of a line\n');
  await s.settle();
  const path = join(s.directory, 'state/state.json');
  assert.doesNotMatch(readFileSync(path, 'utf8'), /secret/);
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test('binary garbage is passed on, and counted', async () => {
  await using s = await scene({ format: 'json' });
  const garbage = Buffer.from(Array.from({ length: 4096 }, (_, i) => (i * 7919) % 251));
  appendFileSync(s.live, garbage);
  s.write('\n{"ok":true}\n');
  await s.settle();
  assert.equal(s.receiver.records.at(-1)?.ok, true);
  assert.ok(s.adapter.metric('adapter_parse_errors_total') > 1);
});

test('an unreadable file is said once and read when it can be', async () => {
  await using s = await scene();
  s.write('one\n');
  chmodSync(s.live, 0);
  chmodSync(s.directory, 0o755);
  await asNobody(async () => {
    await s.adapter.poll();
    await s.adapter.poll();
  });
  assert.equal(s.errors.filter((line) => line.includes('cannot be opened')).length, 1);
  chmodSync(s.live, 0o644);
  await s.settle();
  assert.deepEqual(s.messages(), ['one']);
});

test('a directory that cannot be entered is said once, keeps no other from being read, and is read when it can be', async () => {
  await using s = await scene((directory) => ({
    include: [join(directory, 'closed/sub/*.log'), join(directory, 'logs/*.log')],
  }));
  const closed = join(s.directory, 'closed');
  mkdirSync(join(closed, 'sub'), { recursive: true });
  writeFileSync(join(closed, 'sub/a.log'), 'behind\n');
  s.write('one\n');
  chmodSync(closed, 0);
  chmodSync(s.directory, 0o755);
  await asNobody(async () => {
    await s.adapter.poll();
    await s.adapter.poll();
    assert.equal(s.adapter.metric('adapter_unreadable_files'), 1);
  });
  await s.adapter.until('adapter_buffered_bytes', (bytes) => bytes === 0);
  assert.deepEqual(s.messages(), ['one']);
  assert.equal(s.errors.filter((line) => line.includes('cannot be listed')).length, 1);
  chmodSync(closed, 0o755);
  await s.settle();
  assert.deepEqual(s.messages(), ['one', 'behind']);
  assert.equal(s.adapter.metric('adapter_unreadable_files'), 0);
});

/** Runs something without the rights of root, who can read everything. */
async function asNobody(work: () => Promise<void>): Promise<void> {
  const root = process.geteuid?.() === 0;
  if (root) process.seteuid?.(65_534);
  try {
    await work();
  } finally {
    if (root) process.seteuid?.(0);
  }
}
