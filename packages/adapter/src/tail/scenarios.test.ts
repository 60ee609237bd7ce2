import assert from 'node:assert/strict';
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { createLog, silentLog } from '@sidekit/core';
import { temporaryDirectory } from '@sidekit/test-kit';
import { HandDriven } from '../test-support/hand-driven.ts';
import { joinedLines } from '../test-support/joined-lines.ts';
import { Receiver } from '../test-support/receiver.ts';

/** One log in a directory of its own, an adapter whose looks are made by hand, and its receiver. */
async function scene(options: Readonly<Record<string, unknown>> = {}) {
  const directory = temporaryDirectory('scene');
  const receiver = await Receiver.start();
  const logs = join(directory.path, 'logs');
  mkdirSync(logs);
  const live = join(logs, 'app.log');
  const clock = { now: 1_795_000_000_000 };
  const errors: string[] = [];
  const log = createLog({ name: 'test', level: 'error', write: (line) => errors.push(line) });
  const start = () =>
    new HandDriven(
      directory.path,
      { include: [live], output: [receiver.url], ...options },
      clock,
      log,
    );
  const scene = {
    directory: directory.path,
    logs,
    live,
    clock,
    receiver,
    errors,
    adapter: start(),
    write: (text: string) => appendFileSync(live, text),
    messages: () => receiver.records.map(({ message }) => message),
    /** Ends the adapter by SIGTERM or as by SIGKILL, does what happens meanwhile, starts anew. */
    restart: async (manner: 'stop' | 'crash', meanwhile: () => void = () => {}) => {
      await scene.adapter[manner]();
      meanwhile();
      scene.adapter = start();
    },
    settle: () => scene.adapter.settle(),
    [Symbol.asyncDispose]: async () => {
      await scene.adapter.crash();
      await receiver[Symbol.asyncDispose]();
      directory.remove();
    },
  };
  return scene;
}

const KILOBYTE = `${'the same first kilobyte, '.repeat(50)}.\n`;

test('an offset behind the end of a file means a new generation (vector#23076)', async () => {
  await using s = await scene();
  s.write('one\ntwo\nthree\n');
  await s.settle();
  await s.restart('stop', () => writeFileSync(s.live, 'new\n'));
  await s.settle();
  assert.deepEqual(s.messages(), ['one', 'two', 'three', 'new']);
});

test('files with equal content are different files (vector#25079)', async () => {
  await using s = await scene();
  await s.restart('stop');
  const other = await scene({ include: [join(s.logs, '*.log')] });
  await using _ = other;
  writeFileSync(join(other.logs, 'a.log'), 'same\n');
  writeFileSync(join(other.logs, 'b.log'), 'same\n');
  await other.restart('stop');
  const both = new HandDriven(
    join(other.directory, 'second'),
    { include: [join(other.logs, '*.log')], output: [other.receiver.url] },
    other.clock,
  );
  await both.settle();
  await both.stop();
  assert.deepEqual(other.messages(), ['same', 'same']);
});

test('a reused inode is not trusted before its content is (fluent-bit#4895)', async () => {
  await using s = await scene();
  s.write('aaaa\nbbbb\n');
  await s.settle();
  // Truncating and writing more keeps the inode, and the offset within the file.
  await s.restart('crash', () => writeFileSync(s.live, 'cccc\ndddd\neeee\n'));
  await s.settle();
  assert.deepEqual(s.messages(), ['aaaa', 'bbbb', 'cccc', 'dddd', 'eeee']);
});

test('a partial line at the exit is passed on, and its rest after the start (fluent-bit#11265)', async () => {
  await using s = await scene();
  s.write('whole\nfirst ');
  await s.settle();
  assert.deepEqual(s.messages(), ['whole']);
  await s.restart('stop');
  s.write('half.\n');
  await s.settle();
  assert.deepEqual(joinedLines(s.receiver.records), ['whole', 'first half.']);
  assert.deepEqual(
    s.receiver.records.map(({ partial }) => partial),
    [undefined, true, true],
  );
});

test('a partial line at a crash is read again as a whole', async () => {
  await using s = await scene();
  s.write('whole\nfirst ');
  await s.settle();
  await s.restart('crash');
  s.write('half.\n');
  await s.settle();
  assert.deepEqual(s.messages(), ['whole', 'first half.']);
});

test('the same head after a copytruncate does not hide new lines (contrib#43693)', async () => {
  await using s = await scene();
  s.write(`${KILOBYTE}one\n`);
  await s.settle();
  copyFileSync(s.live, `${s.live}.1`);
  truncateSync(s.live);
  s.write(`${KILOBYTE}two, which is longer\n`);
  await s.settle();
  assert.deepEqual(
    s.messages().filter((text) => text !== KILOBYTE.trim()),
    ['one', 'two, which is longer'],
  );
});

test('a file that was finished, appended to and renamed is read on (beats#39732)', async () => {
  await using s = await scene();
  s.write('one\n');
  await s.settle();
  renameSync(s.live, `${s.live}.1`);
  s.write('two\n');
  await s.settle();
  s.clock.now += 10_000;
  await s.settle();
  appendFileSync(`${s.live}.1`, 'late\n');
  renameSync(`${s.live}.1`, `${s.live}.2`);
  await s.settle();
  assert.deepEqual(s.messages(), ['one', 'two', 'late']);
});

for (const manner of ['stop', 'crash'] as const) {
  test(`a copytruncate while down loses and doubles nothing, after a ${manner} (beats#45300)`, async () => {
    await using s = await scene();
    s.write('one\n');
    await s.settle();
    await s.restart(manner, () => {
      s.write('two\n');
      copyFileSync(s.live, `${s.live}.1`);
      truncateSync(s.live);
      s.write('three\n');
    });
    await s.settle();
    assert.deepEqual(s.messages(), ['one', 'two', 'three']);
  });
}

test('a small file is read from its first byte (vector#2701, beats#44749)', async () => {
  await using s = await scene();
  s.write('x\n');
  await s.settle();
  assert.deepEqual(s.messages(), ['x']);
});

test('files rotated while down are read, oldest first (vector#22954)', async () => {
  await using s = await scene();
  s.write('one\n');
  await s.settle();
  await s.restart('crash', () => {
    s.write('two\n');
    for (const [name, text] of [
      ['.1', 'three\n'],
      ['.2', 'four\n'],
    ] as const) {
      renameSync(s.live, `${s.live}-2026${name}`);
      s.write(text);
    }
  });
  await s.settle();
  assert.deepEqual(s.messages(), ['one', 'two', 'three', 'four']);
});

test('several rotations between two looks are read, with only the live name given', async () => {
  await using s = await scene();
  s.write('1\n');
  await s.settle();
  for (let i = 2; i <= 6; i++) {
    for (let n = i; n >= 1; n--) {
      if (existsSync(`${s.live}.${n}`)) renameSync(`${s.live}.${n}`, `${s.live}.${n + 1}`);
    }
    renameSync(s.live, `${s.live}.1`);
    s.write(`${i}\n`);
  }
  await s.settle();
  assert.deepEqual(s.messages(), ['1', '2', '3', '4', '5', '6']);
});

test('a dead output pauses reading, not discovery, and loses nothing (fluent-bit#4273)', async () => {
  await using s = await scene({ batchBytes: 1024, bufferBytes: 4096 });
  s.receiver.down = true;
  const lines = Array.from({ length: 500 }, (_, i) => `line ${i} ${'x'.repeat(50)}`);
  s.write(`${lines.slice(0, 250).join('\n')}\n`);
  await s.adapter.look();
  renameSync(s.live, `${s.live}.1`);
  s.write(`${lines.slice(250).join('\n')}\n`);
  await s.adapter.look();
  unlinkSync(`${s.live}.1`);
  unlinkSync(s.live);
  await s.adapter.look();
  s.receiver.down = false;
  await s.settle();
  assert.deepEqual(s.messages(), lines);
});

test('deleted files that cannot be delivered are given up in time, and counted (beats#2395)', async () => {
  await using s = await scene({ batchBytes: 1024, bufferBytes: 4096, heldAge: '1h' });
  s.receiver.down = true;
  s.write(`${'x'.repeat(99)}\n`.repeat(10_000));
  await s.adapter.look();
  unlinkSync(s.live);
  await s.adapter.look();
  assert.ok(Number.isNaN(s.adapter.metric('adapter_dropped_bytes_total')));
  s.clock.now += 3_600_000;
  await s.adapter.look();
  assert.ok(s.adapter.metric('adapter_dropped_bytes_total') > 10_000);
  assert.match(s.errors.join(''), /given up/);
});

test('an old reader does not survive a truncation (vector#23619)', async () => {
  await using s = await scene();
  s.write('one\n');
  await s.settle();
  writeFileSync(s.live, 'a longer new line\n');
  await s.settle();
  truncateSync(s.live);
  s.write('x\n');
  await s.settle();
  assert.deepEqual(s.messages(), ['one', 'a longer new line', 'x']);
  assert.equal(s.adapter.metric('adapter_truncations_total'), 2);
});

test('a writer that keeps its place after a truncation leaves a hole that is skipped', async () => {
  await using s = await scene();
  s.write('one\n');
  await s.settle();
  truncateSync(s.live);
  writeFileSync(s.live, `${'\0'.repeat(4)}two\n`);
  await s.settle();
  assert.deepEqual(s.messages(), ['one', 'two']);
});

// The matrix of OpenTelemetry's rotation tests.
for (const move of ['rename', 'copytruncate'] as const) {
  for (const removal of ['kept', 'deleted'] as const) {
    for (const naming of ['timestamped', 'sequential'] as const) {
      for (const head of ['usual', 'same first kilobyte'] as const) {
        test(`rotation by ${move}, ${naming}, old files ${removal}, ${head}: every line once, in order`, async () => {
          await using s = await scene();
          const expected: string[] = [];
          for (let round = 0; round < 6; round++) {
            if (head !== 'usual') s.write(KILOBYTE);
            for (let i = 0; i < 5; i++) {
              expected.push(`round ${round} line ${i}`);
              s.write(`round ${round} line ${i}\n`);
              if (i === 2) await s.settle();
            }
            const suffix = naming === 'timestamped' ? `-2026112${round}` : '.1';
            if (naming === 'sequential') {
              for (let n = 9; n >= 1; n--) {
                if (existsSync(`${s.live}.${n}`))
                  renameSync(`${s.live}.${n}`, `${s.live}.${n + 1}`);
              }
            }
            if (move === 'rename') renameSync(s.live, s.live + suffix);
            else {
              copyFileSync(s.live, s.live + suffix);
              truncateSync(s.live);
            }
            await s.settle();
            if (removal === 'deleted') {
              for (const name of readdirSync(s.logs)) {
                if (name !== 'app.log') unlinkSync(join(s.logs, name));
              }
            }
          }
          await s.settle();
          const lines = s.messages().filter((text) => text !== KILOBYTE.trim());
          assert.deepEqual(lines, expected);
        });
      }
    }
  }
}

test('a file that is moved out of its directory is read to its end', async () => {
  await using s = await scene();
  s.write('one\n');
  await s.settle();
  s.write('two\n');
  mkdirSync(join(s.directory, 'elsewhere'));
  renameSync(s.live, join(s.directory, 'elsewhere', 'x'));
  await s.settle();
  assert.deepEqual(s.messages(), ['one', 'two']);
});

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

test('a state directory that cannot be written is said, and delivery goes on', async () => {
  await using s = await scene({ state: '/proc/no/such' });
  s.write('one\n');
  await s.adapter.look();
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
  // Root reads everything.
  const root = process.geteuid?.() === 0;
  if (root) process.seteuid?.(65_534);
  try {
    await s.adapter.look();
    await s.adapter.look();
  } finally {
    if (root) process.seteuid?.(0);
  }
  assert.equal(s.errors.filter((line) => line.includes('cannot be opened')).length, 1);
  chmodSync(s.live, 0o644);
  await s.settle();
  assert.deepEqual(s.messages(), ['one']);
});
