import assert from 'node:assert/strict';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { eventually } from '@sidekit/test-kit';
import { scene } from '../testing/scene.ts';

for (const [extension, compress] of [
  ['gz', gzipSync],
  ['zst', zstdCompressSync],
] as const) {
  test(`the rest of files that were rotated and compressed to .${extension} while down is read, in order`, async () => {
    await using s = await scene();
    s.write('one\n');
    await s.settle();
    await s.restart('crash', () => {
      s.write('two\n');
      writeFileSync(`${s.live}.2.${extension}`, compress(readFileSync(s.live)));
      unlinkSync(s.live);
      s.write('three\n');
      writeFileSync(`${s.live}.1.${extension}`, compress(readFileSync(s.live)));
      unlinkSync(s.live);
      s.write('four\n');
    });
    await s.settle();
    assert.deepEqual(s.messages(), ['one', 'two', 'three', 'four']);
    // The place in what was unpacked is kept too.
    await s.restart('crash');
    await s.settle();
    assert.equal(s.messages().length, 4);
    assert.deepEqual(readdirSync(join(s.directory, 'state/unpacked')), []);
  });
}

test('a compressed file that grows beyond its limit is refused, and counted as lost', async () => {
  await using s = await scene({ heldBytes: '64KiB' });
  s.write('one\n');
  await s.settle();
  await s.restart('crash', () => {
    s.write('x'.repeat(1024 * 1024));
    writeFileSync(`${s.live}.1.gz`, gzipSync(readFileSync(s.live)));
    unlinkSync(s.live);
    s.write('two\n');
  });
  await s.settle();
  for (let i = 0; i < 3; i++) {
    s.clock.now += 61_000;
    await s.settle();
  }
  assert.deepEqual(s.messages(), ['one', 'two']);
  assert.match(s.errors.join(''), /compressed_unreadable.*larger than 65536/);
  assert.equal(s.adapter.metric('adapter_lost_files_total'), 1);
});

test('a file that cannot be found after a restart is counted', async () => {
  await using s = await scene();
  s.write('one\n');
  await s.settle();
  await s.restart('crash', () => {
    unlinkSync(s.live);
    s.write('two\n');
  });
  await s.settle();
  s.clock.now += 61_000;
  await s.settle();
  assert.equal(s.adapter.metric('adapter_lost_files_total'), 1);
});

test('a file that was read to its end and deleted in its turn is not counted as lost', async () => {
  await using s = await scene();
  s.write('one\n');
  await s.settle();
  renameSync(s.live, `${s.live}.1`);
  s.write('two\n');
  for (let i = 0; i < 3; i++) {
    await s.settle();
    s.clock.now += 10_000;
  }
  unlinkSync(`${s.live}.1`);
  for (let i = 0; i < 3; i++) {
    await s.settle();
    s.clock.now += 61_000;
  }
  await s.restart('stop');
  await s.settle();
  s.clock.now += 61_000;
  await s.settle();
  assert.equal(s.adapter.metric('adapter_lost_files_total'), 0);
  assert.deepEqual(s.messages(), ['one', 'two']);
});

for (const when of ['while down', 'after the restart'] as const) {
  test(`a rotated file that was delivered to its end and is deleted ${when} is not lost`, async () => {
    await using s = await scene();
    s.write('one\n');
    await s.settle();
    const rotated = `${s.live}.1`;
    if (when === 'while down') {
      renameSync(s.live, rotated);
      s.write('two\n');
      for (let i = 0; i < 3; i++) {
        await s.settle();
        s.clock.now += 10_000;
      }
    }
    await s.restart('crash', () => {
      if (when === 'while down') unlinkSync(rotated);
      else {
        renameSync(s.live, rotated);
        s.write('two\n');
      }
    });
    await s.settle();
    rmSync(rotated, { force: true });
    for (let i = 0; i < 3; i++) {
      await s.settle();
      s.clock.now += 61_000;
    }
    assert.deepEqual(s.messages(), ['one', 'two']);
    assert.equal(s.adapter.metric('adapter_lost_files_total'), 0);
  });
}

test('a delivered file of the spool that was removed just before a crash is not lost', async () => {
  await using s = await scene({ include: [], syslog: ['udp::0'], checkpointInterval: '1m' });
  const spool = join(s.directory, 'state/spool');
  await s.restart('crash', () => {
    writeFileSync(join(spool, 'syslog.log.7'), '1795000000000 <14>app: one\n');
  });
  await s.adapter.poll();
  await eventually(() => readdirSync(spool).length === 1, { what: 'the removal' });
  const state = readFileSync(join(s.directory, 'state/state.json'), 'utf8');
  assert.match(state, /syslog\.log\.7.*"offset":0/, 'the removal is not saved');
  await s.restart('crash');
  for (let i = 0; i < 3; i++) {
    await s.settle();
    s.clock.now += 61_000;
  }
  assert.deepEqual(s.messages(), ['app: one']);
  assert.equal(s.adapter.metric('adapter_lost_files_total'), 0);
});

test('startAt end reads files completely that were created while the adapter was down', async () => {
  await using s = await scene((directory) => ({
    startAt: 'end',
    include: [join(directory, 'logs/*.log')],
  }));
  s.write('before\n');
  await s.settle();
  await s.restart('stop', () => {
    s.write('while down\n');
    writeFileSync(join(s.logs, 'new.log'), 'a new file\n');
  });
  await s.settle();
  assert.deepEqual(s.messages().toSorted(), ['a new file', 'while down']);
});

test('a dated copy that matches the glob is not read again', async () => {
  await using s = await scene((directory) => ({ include: [join(directory, 'logs/*.log')] }));
  s.clock.now = Date.now();
  const copy = join(s.logs, 'app-20261121.log');
  s.write('one\n');
  await s.settle();
  s.write('two\n');
  copyFileSync(s.live, copy);
  truncateSync(s.live);
  s.write('three\n');
  await s.settle();
  assert.deepEqual(s.messages(), ['one', 'two', 'three']);
  await s.restart('crash');
  await s.settle();
  assert.deepEqual(s.messages(), ['one', 'two', 'three']);
});

test('a live log with a date in its name and the same first line as another is read', async () => {
  await using s = await scene((directory) => ({ include: [join(directory, 'logs/*.log')] }));
  s.clock.now = Date.now();
  const other = join(s.logs, 'app-20261121.log');
  s.write('banner\none\n');
  await s.settle();
  writeFileSync(other, 'banner\n');
  await s.settle();
  writeFileSync(other, 'banner\nown line\n');
  s.clock.now += 11_000;
  await s.settle();
  assert.deepEqual(s.messages().toSorted(), ['banner', 'banner', 'one', 'own line']);
});

test('files that were moved to another directory while down are read there', async () => {
  await using s = await scene({ rotatedDir: ['old'] });
  mkdirSync(join(s.logs, 'old'));
  s.write('one\n');
  await s.settle();
  await s.restart('crash', () => {
    s.write('two\n');
    renameSync(s.live, join(s.logs, 'old/app.log.1'));
    s.write('three\n');
  });
  await s.settle();
  assert.deepEqual(s.messages(), ['one', 'two', 'three']);
  s.clock.now += 120_000;
  await s.settle();
  assert.deepEqual(s.messages(), ['one', 'two', 'three']);
  assert.ok(existsSync(join(s.logs, 'old/app.log.1')));
});

test('events that wait for more lines come before those of the next file', async () => {
  await using s = await scene({ multilineStart: '^E' });
  s.write('E1\n at x\nE2\n');
  await s.settle();
  s.write(' at y\n');
  renameSync(s.live, `${s.live}.1`);
  s.write('E3\nE4\n');
  await s.settle();
  s.clock.now += 10_000;
  await s.settle();
  assert.deepEqual(s.messages(), ['E1\n at x', 'E2\n at y', 'E3', 'E4']);
});

for (const when of ['up', 'crash', 'stop'] as const) {
  for (const pause of [999, 1000]) {
    test(`a dated copy of which nothing was read before is read while its log goes on: ${when}, every ${pause} ms`, async () => {
      await using s = await scene();
      s.write('one\n');
      await s.settle();
      const copy = (date: string) => {
        copyFileSync(s.live, join(s.logs, `app-${date}.log`));
        truncateSync(s.live);
      };
      const rotateTwice = () => {
        s.write('two\n');
        copy('20261126');
        s.write('three\n');
        copy('20261127');
        s.write('four\n');
      };
      if (when === 'up') rotateTwice();
      else await s.restart(when, rotateTwice);
      s.clock.now = Math.trunc(statSync(join(s.logs, 'app-20261127.log')).mtimeMs);
      await s.settle();
      for (let i = 0; i < 8; i++) {
        s.clock.now += pause;
        s.write(`more ${i}\n`);
        utimesSync(s.live, s.clock.now / 1000, s.clock.now / 1000);
        await s.settle();
      }
      assert.deepEqual(
        s
          .messages()
          .filter((one) => !String(one).startsWith('more'))
          .toSorted(),
        ['four', 'one', 'three', 'two'],
      );
    });
  }
}

for (const move of ['rename', 'copytruncate', 'twice'] as const) {
  for (const when of ['up', 'a crash', 'a stop', 'down'] as const) {
    test(`an event that begins before a rotation (${move}) and ends after it is one record: ${when}`, async () => {
      await using s = await scene({ multilineStart: '^E' });
      const rotate = () => {
        const rotated = `${s.live}.1`;
        if (move === 'copytruncate') {
          copyFileSync(s.live, rotated);
          truncateSync(s.live);
          return;
        }
        if (existsSync(rotated)) renameSync(rotated, `${s.live}.2`);
        renameSync(s.live, rotated);
        s.write('');
        if (move === 'rename' || existsSync(`${s.live}.2`)) return;
        s.write(' at y\n');
        rotate();
      };
      const whole = move === 'twice' ? 'E2\n at x\n at y\n at z' : 'E2\n at x\n at z';
      s.write('E1\nE2\n at x\n');
      if (when === 'down') await s.restart('crash', rotate);
      else {
        await s.settle();
        rotate();
      }
      s.write(' at z\n');
      await s.settle();
      if (when === 'a crash') await s.restart('crash');
      await s.settle();
      if (when === 'a stop') {
        // What comes after a stop is another event.
        await s.restart('stop');
        s.write(' at end\n');
      } else s.write('E3\n');
      await s.settle();
      s.clock.now += 10_000;
      await s.settle();
      s.clock.now += 61_000;
      await s.settle();
      const last = when === 'a stop' ? ' at end' : 'E3';
      assert.deepEqual(s.messages(), ['E1', whole, last]);
      // Everything is acknowledged.
      await s.restart('crash');
      await s.settle();
      assert.equal(s.messages().length, 3);
      assert.equal(s.adapter.metric('adapter_lost_files_total'), 0);
    });
  }
}

test('temporary files that a killed adapter left in the state directory are removed', async () => {
  await using s = await scene();
  s.write('one\n');
  await s.settle();
  await s.restart('crash', () => {
    writeFileSync(join(s.directory, 'state/.sidekit-tmp-1-0123456789ab-state.json'), 'x');
    mkdirSync(join(s.directory, 'state/unpacked'), { recursive: true });
    writeFileSync(join(s.directory, 'state/unpacked/1'), 'x');
  });
  await s.settle();
  const left = readdirSync(join(s.directory, 'state'), { recursive: true }).map(String);
  assert.deepEqual(left.toSorted(), ['state.json', 'unpacked']);
});
