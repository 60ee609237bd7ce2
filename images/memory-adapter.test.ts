/** `adapter` as its image runs it, under the memory limit of the manifests. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import {
  eventually,
  type LimitedProcess,
  missingMemoryLimits,
  temporaryDirectory,
} from '@sidekit/test-kit';
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

/** The default of --max-line: a longer line becomes a record for each part of this size, in bytes. */
const PART = 256 * 1024;

/** Writes one line of bytes that take six in JSON, and in Loki's JSON in JSON seven. */
function controlCharacters(logs: string): number {
  const path = join(logs, 'app.log');
  const parts = Math.ceil(size(1024, 16) / PART);
  for (let i = 0; i < parts; i++) appendFileSync(path, '\u0001'.repeat(PART));
  appendFileSync(path, '\n');
  return parts;
}

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
  'a long line of control characters': { write: controlCharacters, args: otlp },
  'a long line of control characters for Loki': {
    // A part takes six times its size as JSON, and lines are shorter than 256 KiB.
    write: (logs) => controlCharacters(logs) * 7,
    args: (receiver) => ['--output', `loki:http://${receiver}`],
  },
  'two outputs, one of them dead': {
    write: (logs) => fillAll(logs, 50, size(256, 8)),
    args: (receiver) => [
      ...['--format', 'combined', ...otlp(receiver), ...otlp(DEAD)],
      // A stop tries to deliver to the dead one for this long.
      ...['--grace-period', '1s'],
    ],
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
      assertLimits(adapter, context);
      adapter.kill();
      assert.equal((await adapter.exited).code, 0, adapter.stderr);
    });
  }

  test('listeners under a flood, with a dead output', async (context) => {
    using directory = temporaryDirectory('memory-adapter');
    await using adapter = image.start([
      ...['--syslog', 'udp::0', '--syslog', 'tcp::0', '--json-lines', 'tcp::0', ...otlp(DEAD)],
      ...['--spool-bytes', `${LONG ? 256 : 8}MiB`, '--state', join(directory.path, 'state')],
      ...['--admin', '127.0.0.1:0', '--log-level', 'debug'],
    ]);
    const { port } = await adapter.event('admin_listening');
    await adapter.event('ready');
    const ports = [...adapter.stderr.matchAll(/"receiving".*?"address":"\w+:[\d.]+:(\d+)"/g)].map(
      ([, one]) => Number(one),
    );
    const messages = [`<14>app: ${'x'.repeat(100)}\n`, `<14>app: ${'\u0001'.repeat(60_000)}\n`];
    const get = async (path: string) => (await fetch(`http://127.0.0.1:${port}${path}`)).text();
    {
      using _datagrams = flood(ports[0]!, messages);
      using _streams = senders(ports.slice(1), messages.join('').repeat(4));
      await eventually(
        async () => {
          const isFull = (await get('/readyz')).match(/is full/g)?.length === 2;
          const metrics = await get('/metrics');
          const counts = (name: string) => new RegExp(`^adapter_${name}_total.* [1-9]`, 'm');
          return (
            isFull && ['dropped_messages', 'retries'].every((one) => counts(one).test(metrics))
          );
        },
        { what: `full spools that are read: ${adapter.stderr}`, interval: 100 },
      );
    }
    assertLimits(adapter, context);
  });
});

/** Asserts that the peak of a program is below the limit. */
function assertLimits(adapter: LimitedProcess, context: TestContext): void {
  context.diagnostic(`peak: ${Math.round(adapter.peak / MIB)} MiB`);
  assert.ok(adapter.peak <= PEAK, `${adapter.peak / MIB} MiB`);
  assert.equal(adapter.kills, 0, 'killed by the memory limit');
}

/** Sends datagrams to a port of loopback as fast as possible. */
function flood(port: number, messages: readonly string[]): Disposable {
  const socket = createSocket('udp4');
  let isOpen = true;
  const send = () => {
    if (!isOpen) return;
    for (let i = 0; i < 20; i++) socket.send(messages[i % 10 === 0 ? 1 : 0]!, port, '127.0.0.1');
    setImmediate(send);
  };
  socket.on('error', () => {});
  send();
  return {
    [Symbol.dispose]: () => {
      isOpen = false;
      socket.close();
    },
  };
}

/** Connects eight times to each port, and writes as much as is read. */
function senders(ports: readonly number[], text: string): Disposable {
  const sockets = ports.flatMap((port) =>
    Array.from({ length: 8 }, () => {
      const socket = connect({ host: '127.0.0.1', port });
      const write = () => {
        while (socket.writable && socket.write(text));
      };
      socket
        .on('error', () => {})
        .on('connect', write)
        .on('drain', write);
      return socket;
    }),
  );
  return {
    [Symbol.dispose]: () => {
      for (const socket of sockets) socket.destroy();
    },
  };
}
