import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { eventually, temporaryDirectory } from '@sidekit/test-kit';
import { DiscardingReceiver } from '../packages/adapter/src/testing/discarding-receiver.ts';
import { LimitedMemory, peakMemory } from '../packages/adapter/src/testing/limited-memory.ts';
import { hostArchitecture } from './architecture.ts';
import { bundle } from './bundle.ts';
import { IMAGES } from './catalog.ts';
import { nodeBinary } from './node-binary.ts';
import { NODE_FLAGS } from './node-flags.ts';

const MIB = 1024 ** 2;
/** The limit of our manifests, and the most that may be resident. */
const LIMIT = 128 * MIB;
const MOST = 110;
const long = process.env.SIDEKIT_LONG === '1';
/** The size of an input in the long form, in MiB, and in the short one; in bytes. */
const size = (full: number, short: number) => (long ? full : short) * MIB;

const probe = LimitedMemory.create(LIMIT);
probe?.[Symbol.dispose]();
const skip = probe === undefined && 'needs root and a memory cgroup';
const directory = temporaryDirectory('memory');

before(async () => {
  const image = IMAGES.find(({ name }) => name === 'adapter')!;
  if (!skip) await bundle(image, join(directory.path, 'app'), hostArchitecture());
});
after(() => directory[Symbol.dispose]());

interface Load {
  /** Writes the logs before the adapter starts; returns how many records they are. */
  readonly write: (logs: string) => number;
  readonly args: (receiver: string) => readonly string[];
}

const otlp = (receiver: string) => ['--output', `otlp:http://${receiver}`];
/** Nothing listens there. */
const DEAD = '127.0.0.1:9';
const COMBINED =
  '203.0.113.7 - - [21/Nov/2026:10:00:00 +0000] "GET /a?b=c HTTP/1.1" 200 2326 "https://example.com/" "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"\n';

/** Writes lines again and again until a file has at least a size in bytes; returns their number. */
function fill(path: string, lines: string, bytes: number): number {
  const times = Math.max(
    1,
    Math.min(Math.floor(MIB / 4 / lines.length), Math.ceil(bytes / lines.length)),
  );
  const block = lines.repeat(times);
  let written = 0;
  writeFileSync(path, '');
  for (; written < bytes; written += block.length) appendFileSync(path, block);
  return (written / lines.length) * (lines.split('\n').length - 1);
}

/** Fills many files. */
function fillAll(logs: string, files: number, bytes: number): number {
  let lines = 0;
  for (let i = 0; i < files; i++) lines += fill(join(logs, `${i}.log`), COMBINED, bytes / files);
  return lines;
}

/** JSON lines that are deep, wide, and escaped. */
const NESTED = [
  `${'{"a":'.repeat(1500)}1${'}'.repeat(1500)}\n`,
  `${'['.repeat(20_000)}${']'.repeat(20_000)}\n`,
  `{${Array.from({ length: 5000 }, (_, i) => `"k${i}":{"v":[${i},"\\ud800",1e999]}`).join()}}\n`,
  `{"a":"${'\\u0000'.repeat(10_000)}"}\n`,
].join('');

const LOADS: Readonly<Record<string, Load>> = {
  'blank lines': {
    write: (logs) => fill(join(logs, 'app.log'), '\n', size(3, 0.3)),
    args: otlp,
  },
  'one-byte lines': {
    write: (logs) => fill(join(logs, 'app.log'), 'x\n', size(6, 0.3)),
    args: otlp,
  },
  'a backlog of 1 GiB': {
    write: (logs) => fill(join(logs, 'app.log'), COMBINED, size(1024, 16)),
    args: (receiver) => ['--format', 'combined', '--output', `http://${receiver}`],
  },
  '500 files': { write: (logs) => fillAll(logs, 500, size(128, 8)), args: otlp },
  '64 MiB of nested JSON': {
    write: (logs) => fill(join(logs, 'app.log'), NESTED, size(64, 2)),
    args: (receiver) => ['--format', 'json', ...otlp(receiver)],
  },
  'two outputs, one of them dead': {
    write: (logs) => fillAll(logs, 50, size(256, 8)),
    args: (receiver) => ['--format', 'combined', ...otlp(receiver), ...otlp(DEAD)],
  },
};

for (const [name, { write, args }] of Object.entries(LOADS)) {
  test(`${name}: at most ${MOST} MiB within the limit of the manifests`, { skip }, async (t) => {
    const place = join(directory.path, name.replaceAll(' ', '-'));
    mkdirSync(join(place, 'logs'), { recursive: true });
    const records = write(join(place, 'logs'));
    await using receiver = await DiscardingReceiver.start();
    using limited = LimitedMemory.create(LIMIT)!;
    await using adapter = limited.start(
      [
        ...[nodeBinary(), ...NODE_FLAGS, join(directory.path, 'app/main.cjs')],
        ...['--include', join(place, 'logs/*.log'), '--state', join(place, 'state')],
        ...['--admin', '127.0.0.1:0', '--log-level', 'debug', ...args(receiver.address)],
      ],
      { MALLOC_ARENA_MAX: '2' },
    );
    const { port } = await adapter.event('admin_listening');
    const hasEnded = () => adapter.child.exitCode !== null || adapter.child.signalCode !== null;
    const isDelivered = async () => {
      if (hasEnded()) return true;
      const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
      const delivered = text
        .split('\n')
        .find((line) => line.startsWith('adapter_delivered_records_total{'));
      return Number(delivered?.split(' ').at(-1)) === records;
    };
    await eventually(isDelivered, {
      ...{ what: `all is delivered: ${adapter.stderr}`, interval: 100 },
      timeout: long ? 1_200_000 : 120_000,
    });
    assert.ok(!hasEnded(), `ended by itself: ${adapter.child.signalCode} ${adapter.stderr}`);
    const peak = peakMemory(adapter.child.pid);
    t.diagnostic(`${peak.toFixed(1)} MiB at its peak`);
    assert.ok(peak <= MOST, `${peak} MiB at its peak`);
    adapter.kill();
    assert.equal((await adapter.exited).code, 0, adapter.stderr);
    rmSync(place, { recursive: true });
  });
}
