/** `adapter` as its image runs it, under the memory limit of the manifests. */
import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { eventually, missingMemoryLimits, temporaryDirectory } from '@sidekit/test-kit';
import { DiscardingReceiver } from '../packages/adapter/src/testing/discarding-receiver.ts';
import { type LimitedImage, limitedImage, MIB } from './testing/limited-image.ts';

/** The most memory of the adapter, in bytes. */
const PEAK = 110 * MIB;
const LONG = process.env.SIDEKIT_LONG === '1';
/** The size of an input in the long form, in MiB, and in the short one; in bytes. */
const size = (full: number, short: number) => (LONG ? full : short) * MIB;

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
  'a backlog': {
    write: (logs) => fill(join(logs, 'app.log'), COMBINED, size(1024, 16)),
    args: (receiver) => ['--format', 'combined', '--output', `http://${receiver}`],
  },
  '500 files': { write: (logs) => fillAll(logs, 500, size(128, 8)), args: otlp },
  'nested JSON': {
    write: (logs) => fill(join(logs, 'app.log'), NESTED, size(64, 2)),
    args: (receiver) => ['--format', 'json', ...otlp(receiver)],
  },
  'two outputs, one of them dead': {
    write: (logs) => fillAll(logs, 50, size(256, 8)),
    args: (receiver) => ['--format', 'combined', ...otlp(receiver), ...otlp(DEAD)],
  },
};

describe('adapter with 128 MiB', { skip: missingMemoryLimits }, () => {
  let image: LimitedImage;
  before(async () => {
    image = await limitedImage('adapter');
  });
  after(() => image[Symbol.dispose]());

  for (const [name, { write, args }] of Object.entries(LOADS)) {
    test(name, async (context) => {
      using directory = temporaryDirectory('memory-adapter');
      const logs = join(directory.path, 'logs');
      mkdirSync(logs);
      const records = write(logs);
      await using receiver = await DiscardingReceiver.start();
      await using adapter = image.start([
        ...['--include', join(logs, '*.log'), '--state', join(directory.path, 'state')],
        ...['--admin', '127.0.0.1:0', '--log-level', 'debug', ...args(receiver.address)],
      ]);
      const { port } = await adapter.event('admin_listening');
      const hasEnded = () => adapter.child.exitCode !== null || adapter.child.signalCode !== null;
      const isDelivered = async () => {
        if (hasEnded()) return true;
        const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
        const delivered = /^adapter_delivered_records_total\{.* (\d+)$/m.exec(text)?.[1];
        return Number(delivered) === records;
      };
      await eventually(isDelivered, {
        ...{ what: `all is delivered: ${adapter.stderr}`, interval: 100 },
        timeout: LONG ? 1_200_000 : 120_000,
      });
      assert.ok(!hasEnded(), `ended by itself: ${adapter.child.signalCode} ${adapter.stderr}`);
      context.diagnostic(`peak: ${Math.round(adapter.peak / MIB)} MiB`);
      assert.ok(adapter.peak <= PEAK, `${adapter.peak / MIB} MiB`);
      assert.equal(adapter.kills, 0, 'killed by the memory limit');
      adapter.kill();
      assert.equal((await adapter.exited).code, 0, adapter.stderr);
    });
  }
});
