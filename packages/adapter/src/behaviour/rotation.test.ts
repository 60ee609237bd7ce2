import assert from 'node:assert/strict';
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { HandDriven } from '../testing/hand-driven.ts';
import { joinedLines } from '../testing/joined-lines.ts';
import { scene } from '../testing/scene.ts';

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

test('several rotations between two polls are read, with only the live name given', async () => {
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
  await s.adapter.poll();
  renameSync(s.live, `${s.live}.1`);
  s.write(`${lines.slice(250).join('\n')}\n`);
  await s.adapter.poll();
  unlinkSync(`${s.live}.1`);
  unlinkSync(s.live);
  await s.adapter.poll();
  s.receiver.down = false;
  await s.settle();
  assert.deepEqual(s.messages(), lines);
});

test('a stop reads what was written last to a deleted file, also while a delivery is under way', async () => {
  await using s = await scene();
  s.write('one\n');
  s.receiver.down = true;
  await s.adapter.poll();
  s.write('two\n');
  unlinkSync(s.live);
  s.receiver.down = false;
  await s.adapter.stop();
  assert.deepEqual(s.messages(), ['one', 'two']);
});

test('deleted files that cannot be delivered are dropped in time, and counted (beats#2395)', async () => {
  await using s = await scene({ batchBytes: 1024, bufferBytes: 4096, heldAge: '1h' });
  s.receiver.down = true;
  s.write(`${'x'.repeat(99)}\n`.repeat(10_000));
  await s.adapter.poll();
  unlinkSync(s.live);
  await s.adapter.poll();
  assert.ok(Number.isNaN(s.adapter.metric('adapter_dropped_bytes_total')));
  s.clock.now += 3_600_000;
  await s.adapter.poll();
  assert.ok(s.adapter.metric('adapter_dropped_bytes_total') > 10_000);
  assert.match(s.errors.join(''), /deleted_file_dropped/);
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

test('a copy of a file of which nothing was read yet is read, though another program may have its name', async () => {
  await using s = await scene({ batchBytes: 1024, bufferBytes: 4096 });
  s.receiver.down = true;
  const written: string[] = [];
  for (let round = 3; round >= 1; round--) {
    const lines = Array.from({ length: 200 }, (_, i) => `round ${round} line ${i}`);
    written.push(...lines);
    s.write(`${lines.join('\n')}\n`);
    await s.adapter.poll();
    copyFileSync(s.live, join(s.logs, `app.${round}.log`));
    truncateSync(s.live);
    await s.adapter.poll();
  }
  s.receiver.down = false;
  await s.settle();
  assert.deepEqual(s.messages().toSorted(), written.toSorted());
});

test('a file that was truncated and renamed between two scans is not read again in its copy', async () => {
  await using s = await scene();
  s.write('one\n');
  await s.settle();
  copyFileSync(s.live, `${s.live}.1`);
  truncateSync(s.live);
  s.write('second\n');
  renameSync(s.live, `${s.live}-20261126`);
  s.write('third\n');
  await s.settle();
  assert.deepEqual(s.messages().toSorted(), ['one', 'second', 'third']);
});

test('a dated copy is read although no live file follows it', async () => {
  await using s = await scene();
  s.clock.now = Date.now();
  s.write('one\n');
  await s.settle();
  renameSync(s.live, `${s.live}.1`);
  s.write('two\n');
  copyFileSync(s.live, join(s.logs, 'app-20261126.log'));
  unlinkSync(s.live);
  for (let i = 0; i < 3; i++) {
    await s.settle();
    s.clock.now += 6_000;
  }
  assert.deepEqual(s.messages(), ['one', 'two']);
});

test('what was unread of a truncated file without a copy is counted as lost, and what was read is not', async () => {
  await using s = await scene({ batchBytes: 1024, bufferBytes: 4096 });
  s.write('one\n');
  await s.settle();
  const wait = async () => {
    for (let i = 0; i < 8; i++) {
      await s.adapter.poll();
      s.clock.now += 10_000;
    }
  };
  truncateSync(s.live);
  s.write('another one\n');
  await wait();
  await s.settle();
  assert.equal(s.adapter.metric('adapter_lost_files_total'), 0);
  s.receiver.down = true;
  s.write(`${'a line that waits\n'.repeat(1000)}`);
  await s.adapter.poll();
  truncateSync(s.live);
  s.write('after\n');
  await wait();
  s.receiver.down = false;
  await s.settle();
  assert.equal(s.adapter.metric('adapter_lost_files_total'), 1);
  assert.equal(s.messages().at(-1), 'after');
});
