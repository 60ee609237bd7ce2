import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startProgram, temporaryDirectory, until } from '@sidekit/test-kit';
import { scene } from './test-support/scene.ts';

test('a pattern that takes exponential time elsewhere takes one look here', async () => {
  await using s = await scene({ format: 'regex', pattern: '^(?<all>(a+)+)$' });
  s.write(`${'a'.repeat(100_000)}!\n${'a'.repeat(100)}\n`);
  await s.settle();
  const [first, second] = s.receiver.records;
  assert.equal(first?.parse_error, 'does not match the pattern');
  assert.equal(first?.raw, `${'a'.repeat(100_000)}!`);
  assert.equal(second?.all, 'a'.repeat(100));
});

for (const [what, pattern] of [
  ['look-around', '^(?<level>\\w+)(?=:)'],
  ['a back-reference', '^(?<level>\\w+) \\1'],
] as const) {
  test(`${what}, which needs more than linear time, is refused at the start with the remedy`, async () => {
    await using program = startProgram(new URL('main.ts', import.meta.url), [
      ...['--include', '/nowhere/*.log', '--format', 'regex', '--pattern', pattern],
    ]);
    assert.equal((await program.exited).code, 64);
    assert.match(program.stderr, /--pattern.*linear time.*RE2/s);
    assert.doesNotMatch(program.stderr, /\n\s+at /);
  });
}

test('a line of 1 GiB is cut, in bounded memory, and the next line is read', async () => {
  using directory = temporaryDirectory('gibibyte');
  const live = join(directory.path, 'app.log');
  const out = join(directory.path, 'out.json');
  writeFileSync(live, 'the line before\nx');
  truncateSync(live, 1024 ** 3);
  appendFileSync(live, '\nthe line behind\n');
  await using program = startProgram(new URL('main.ts', import.meta.url), [
    ...['--include', live, '--output', `file:${out}`, '--state', join(directory.path, 'state')],
    ...['--long-lines', 'cut', '--max-line', '1KiB', '--admin', '127.0.0.1:0'],
  ]);
  const text = await until(
    () => {
      const now = readFileSync(out, 'utf8');
      return now.includes('the line behind') ? now : undefined;
    },
    { what: `the line behind: ${program.stderr}`, timeout: 60_000 },
  );
  const records = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.equal(records.length, 3);
  assert.equal(records[1].truncated, true);
  assert.equal(records[1].message.length, 1024);
  const status = readFileSync(`/proc/${program.child.pid}/status`, 'utf8');
  const peak = Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
  assert.ok(peak < 200, `${peak} MiB at its peak`);
});

test('what is given up of a deleted file and what was delivered are together what was written', async () => {
  await using s = await scene({ batchBytes: 1024, bufferBytes: 4096, heldBytes: '64KiB' });
  s.receiver.down = true;
  const written = `${'x'.repeat(99)}\n`.repeat(10_000);
  s.write(written);
  await s.adapter.look();
  unlinkSync(s.live);
  await s.adapter.look();
  s.receiver.down = false;
  await s.settle();
  const dropped = s.adapter.metric('adapter_dropped_bytes_total');
  const delivered = s.receiver.records.length * 100;
  assert.ok(dropped > 0 && delivered > 0);
  assert.equal(dropped + delivered, written.length);
  assert.match(s.errors.join(''), /given up/);
});

test('small files have their turn beside a huge one', async () => {
  await using s = await scene((directory) => ({ include: [join(directory, 'logs/*.log')] }));
  writeFileSync(join(s.logs, 'a-huge.log'), `${'x'.repeat(199)}\n`.repeat(40_000));
  for (let i = 0; i < 5; i++) writeFileSync(join(s.logs, `small-${i}.log`), `small ${i}\n`);
  await s.settle();
  const messages = s.messages();
  assert.equal(messages.length, 40_005);
  for (let i = 0; i < 5; i++) {
    // Two chunks of the huge one at most come first.
    assert.ok(messages.indexOf(`small ${i}`) < (2 * 256 * 1024) / 200 + 5);
  }
});
