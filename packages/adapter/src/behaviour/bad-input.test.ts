import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  closeSync,
  createReadStream,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { valuesOf } from '@sidekit/core/testing';
import { eventually, startProgram, temporaryDirectory } from '@sidekit/test-kit';
import { adapterTable } from '../options/table.ts';
import { scene } from '../testing/scene.ts';

test('a pattern that takes exponential time elsewhere takes linear time here', async () => {
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
    await using program = startProgram(new URL('../main.ts', import.meta.url), [
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
  appendFileSync(live, '\nthe line after\n');
  await using program = startProgram(new URL('../main.ts', import.meta.url), [
    ...['--include', live, '--output', `file:${out}`, '--state', join(directory.path, 'state')],
    ...['--long-lines', 'cut', '--max-line', '1KiB', '--admin', '127.0.0.1:0'],
  ]);
  const text = await eventually(
    () => {
      const now = readFileSync(out, 'utf8');
      return now.includes('the line after') ? now : undefined;
    },
    { what: `the line after: ${program.stderr}` },
  );
  const records = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.equal(records.length, 3);
  assert.equal(records[1].truncated, true);
  assert.equal(records[1].message.length, 1024);
  const peak = peakMemory(program.child.pid);
  assert.ok(peak < 200, `${peak} MiB at its peak`);
});

for (const [include, output] of [
  ['/logs/*.log', '/logs/out.log'],
  ['/logs/**/*.log', '/logs/a/../b/out.log'],
  ['/logs/app.log', '/logs/app.log.1'],
] as const) {
  test(`an output to ${output} next to ${include}, which would be read forever, is refused`, async () => {
    const args = ['--include', include, '--output', `file:${output}`];
    await using refused = startProgram(new URL('../main.ts', import.meta.url), args);
    assert.equal((await refused.exited).code, 64);
    assert.match(refused.stderr, /is among the files that are read: write to another directory/);
  });
}

test('an output next to the logs is accepted if it is excluded', () => {
  const include = ['/logs/*.log'];
  const output = ['file:/logs/out.log'];
  assert.ok(valuesOf(adapterTable, { include, output, exclude: ['out.log'] }));
  assert.ok(valuesOf(adapterTable, { include, output: ['file:/logs/out.json'] }));
});

test('a pattern that matches no file is a warning until a file appears', async () => {
  using directory = temporaryDirectory('nothing');
  writeFileSync(join(directory.path, 'there.log'), 'one line\n');
  const missing = join(directory.path, 'nowhere/*.log');
  await using program = startProgram(new URL('../main.ts', import.meta.url), [
    ...['--include', missing, '--include', join(directory.path, '*.log')],
    ...['--state', join(directory.path, 'state'), '--admin', '127.0.0.1:0', '--log-level', 'debug'],
  ]);
  const { port } = await program.event('admin_listening');
  const warnings = async () => {
    const answer = await (await fetch(`http://127.0.0.1:${port}/readyz`)).json();
    const { warnings } = answer as { warnings: { reason: string }[] };
    return warnings.map(({ reason }) => reason).join();
  };
  await eventually(async () => (await warnings()).startsWith(`no file matches ${missing} so far`), {
    what: 'a warning that names the pattern',
  });
  mkdirSync(join(directory.path, 'nowhere'));
  writeFileSync(join(directory.path, 'nowhere/app.log'), 'one line\n');
  await eventually(async () => (await warnings()) === '', { what: 'no warning any more' });
});

test('patterns that match no file at all are logged', async () => {
  using directory = temporaryDirectory('nothing');
  await using program = startProgram(new URL('../main.ts', import.meta.url), [
    ...['--include', join(directory.path, 'nowhere/*.log'), '--admin', '127.0.0.1:0'],
    ...['--state', join(directory.path, 'state')],
  ]);
  assert.equal((await program.event('no_match')).level, 'warn');
});

const MIB = 1024 ** 2;
/** Characters of the line that is split: 32 Mi, and 1 Gi in the long form. */
const LONG_LINE = Math.min(1024, 32 * Number(process.env.SIDEKIT_RUNS ?? 1)) * MIB;

test(`a line of ${LONG_LINE / MIB} Mi characters is split in bounded memory, and not a byte of it is lost`, async () => {
  using directory = temporaryDirectory('split');
  const live = join(directory.path, 'app.log');
  const out = join(directory.path, 'out.json');
  const written = createHash('sha256');
  writeFileSync(live, 'the line before\n');
  for (let i = 0; i < LONG_LINE / MIB; i++) {
    const part = `${i} ü `.repeat(MIB).slice(0, MIB);
    appendFileSync(live, part);
    written.update(part);
  }
  appendFileSync(live, '\nthe line after\n');
  await using program = startProgram(new URL('../main.ts', import.meta.url), [
    ...['--include', live, '--output', `file:${out}`, '--state', join(directory.path, 'state')],
    ...['--admin', '127.0.0.1:0'],
  ]);
  await eventually(() => lastLine(out).includes('the line after'), {
    what: 'the line after is delivered',
    interval: 50,
  });
  const read = createHash('sha256');
  let parts = 0;
  const messages: string[] = [];
  for await (const line of createInterface({ input: createReadStream(out) })) {
    const { message, partial } = JSON.parse(line);
    if (partial) {
      parts++;
      read.update(message);
    } else messages.push(message);
  }
  assert.deepEqual(messages, ['the line before', 'the line after']);
  assert.ok(parts >= LONG_LINE / (256 * 1024), `${parts} parts`);
  assert.equal(read.digest('hex'), written.digest('hex'));
  const peak = peakMemory(program.child.pid);
  assert.ok(peak < 200, `${peak} MiB at its peak`);
});

/** Reads the end of a file that may be large or missing. */
function lastLine(path: string): string {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size === 0) return '';
  const fd = openSync(path, 'r');
  const end = Buffer.alloc(Math.min(size, 1024));
  readSync(fd, end, 0, end.length, size - end.length);
  closeSync(fd);
  return end.toString('latin1');
}

/** Reads the peak memory of a process, in MiB. */
function peakMemory(pid = 0): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
}

test('dropped and delivered bytes of a deleted file add up to what was written', async () => {
  await using s = await scene({ batchBytes: 1024, bufferBytes: 4096, heldBytes: '64KiB' });
  s.receiver.down = true;
  const written = `${'x'.repeat(99)}\n`.repeat(10_000);
  s.write(written);
  await s.adapter.poll();
  unlinkSync(s.live);
  await s.adapter.poll();
  s.receiver.down = false;
  await s.settle();
  const dropped = s.adapter.metric('adapter_dropped_bytes_total');
  const delivered = s.receiver.records.length * 100;
  assert.ok(dropped > 0 && delivered > 0);
  assert.equal(dropped + delivered, written.length);
  assert.match(s.errors.join(''), /deleted_file_dropped/);
});

test('small files are read while a huge one is', async () => {
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
