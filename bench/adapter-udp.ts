import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually, freePort, TestProcess } from '@sidekit/test-kit';
import { bundledAdapter } from './adapter/bundle.ts';
import { seeded } from './adapter/generate.ts';
import { usage } from './adapter/run.ts';
import { numbers } from './support/numbers.ts';
import { median } from './support/statistics.ts';

/**
 * StatsD and syslog over UDP, one message to a datagram, at 50,000 datagrams a second and as fast as
 * a sender in C can: received datagrams a second of the receiver's CPU, beside an empty `node:dgram`
 * receiver, and the share that was lost. The sender has core 0, the receiver core 1; syslog is
 * measured until its records are in a file. Interleaved rounds, medians. `--rounds=3`, `--seconds=5`.
 */
export async function run(args: readonly string[]): Promise<void> {
  const { rounds, seconds } = numbers(args, { rounds: 3, seconds: 5 });
  const directory = mkdtempSync(join(tmpdir(), 'sidekit-bench-udp-'));
  try {
    const source = fileURLToPath(new URL('./adapter/udp-sender.c', import.meta.url));
    const sender = join(directory, 'sender');
    execFileSync('gcc', ['-O2', '-o', sender, source]);
    const adapter = await bundledAdapter(directory);
    const results = new Map<string, Result[]>();
    for (let round = 0; round < rounds; round++) {
      for (const rate of [50_000, 0]) {
        for (const [name, line] of INPUTS) {
          const lines = join(directory, name);
          const random = seeded(round);
          writeFileSync(lines, Array.from({ length: 1024 }, (_, i) => line(random, i)).join('\n'));
          const load: Load = { sender, lines, rate, seconds };
          const work = join(directory, 'work');
          mkdirSync(work);
          const receivers = [await empty(), await receiving(adapter, name, work)];
          for (const receiver of receivers) {
            const row = `${receiver.name}, ${name} | ${rate === 0 ? 'as fast as possible' : '50k/s'}`;
            results.set(row, [...(results.get(row) ?? []), await measure(receiver, load)]);
          }
          rmSync(work, { recursive: true });
        }
      }
    }
    print(results);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

type Line = (random: () => number, i: number) => string;

const statsdLine: Line = (random, i) => {
  const value = Math.floor(random() * 1000);
  const tags = `|#env:prod,route:r${i % 16}`;
  const kinds = [
    `shop.requests:1|c${tags}`,
    `shop.took:${value}|ms${tags}`,
    `shop.queue:${value}|g`,
  ];
  return kinds[i % kinds.length]!;
};

const syslogLine: Line = (random, i) =>
  `<134>1 2026-11-21T10:00:00.${String(i % 1000).padStart(3, '0')}Z shop api 17 - - GET /api/v1/items/${i} took ${Math.floor(random() * 1000)} ms`;

const INPUTS = [
  ['statsd', statsdLine],
  ['syslog', syslogLine],
] as const;

interface Load {
  readonly sender: string;
  readonly lines: string;
  /** In datagrams a second; 0 for as many as possible. */
  readonly rate: number;
  readonly seconds: number;
}

interface Result {
  readonly perCpu: number;
  /** From 0 to 1. */
  readonly lost: number;
}

interface Receiver {
  readonly name: string;
  readonly port: number;
  start(): Promise<TestProcess>;
  /** The datagrams received so far, and not dropped. */
  received(child: TestProcess): Promise<number>;
  /** Whether so many are completely handled. */
  done(received: number): Promise<boolean>;
}

async function empty(): Promise<Receiver> {
  const port = await freePort();
  const script = fileURLToPath(new URL('./adapter/udp-empty.ts', import.meta.url));
  return {
    name: 'empty receiver',
    port,
    start: async () => {
      const child = pinned([process.execPath, script, String(port)]);
      await eventually(() => child.stdout.includes('listening'), { what: 'it listens' });
      return child;
    },
    received: async (child) => {
      const before = child.stdout.length;
      child.kill('SIGUSR2');
      await eventually(() => child.stdout.slice(before).includes('\n'), { what: 'the count' });
      return Number(/received (\d+)/.exec(child.stdout.slice(before))?.[1]);
    },
    done: async () => true,
  };
}

async function receiving(
  adapter: readonly string[],
  input: 'statsd' | 'syslog',
  work: string,
): Promise<Receiver> {
  const port = await freePort();
  const admin = `127.0.0.1:${await freePort()}`;
  const metric = async (name: string) => {
    const text = await fetch(`http://${admin}/metrics`).then((answer) => answer.text());
    return Number(new RegExp(`^${name}(?:\\{.*\\})? (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
  };
  const flags =
    input === 'statsd'
      ? ['--statsd', `127.0.0.1:${port}`]
      : ['--syslog', `udp:127.0.0.1:${port}`, '--output', `file:${join(work, 'out')}`];
  return {
    name: 'adapter',
    port,
    start: async () => {
      const child = pinned([
        ...[...adapter, '--admin', admin, '--log-level', 'warn', '--state', join(work, 'state')],
        ...flags,
      ]);
      const isReady = () => fetch(`http://${admin}/readyz`).then(({ ok }) => ok);
      await eventually(isReady, { what: `the adapter is ready: ${child.stderr}` });
      return child;
    },
    received: async () =>
      input === 'statsd'
        ? metric('adapter_statsd_datagrams_total')
        : (await metric('adapter_received_messages_total')) -
          (await metric('adapter_dropped_messages_total')),
    done: async (received) =>
      input === 'statsd' || (await metric('adapter_delivered_records_total')) >= received,
  };
}

function pinned(argv: readonly string[]): TestProcess {
  return new TestProcess('taskset', ['-c', '1', ...argv]);
}

async function measure(receiver: Receiver, { sender, ...load }: Load): Promise<Result> {
  await using child = await receiver.start();
  const before = usage(child.child.pid)?.cpu ?? 0;
  const args = [receiver.port, load.lines, load.rate, load.seconds].map(String);
  await using sending = new TestProcess('taskset', ['-c', '0', sender, ...args]);
  await sending.exited;
  const sent = Number(sending.stdout);
  let received = -1;
  await eventually(
    async () => {
      const last = received;
      received = await receiver.received(child);
      return received === last && (await receiver.done(received));
    },
    { what: 'all is handled', interval: 200 },
  );
  const cpu = (usage(child.child.pid)?.cpu ?? Number.NaN) - before;
  return { perCpu: received / cpu, lost: 1 - received / sent };
}

function print(results: ReadonlyMap<string, readonly Result[]>): void {
  const of = (row: string) => median((results.get(row) ?? []).map(({ perCpu }) => perCpu));
  console.log('| | offered | datagrams/s of CPU | × empty receiver | lost |');
  console.log('| --- | --- | ---: | ---: | ---: |');
  for (const [row, all] of results) {
    const lost = median(all.map((one) => one.lost));
    const cells = [
      row,
      `${Math.round(of(row) / 1000)}k`,
      (of(row) / of(row.replace('adapter', 'empty receiver'))).toFixed(2),
      `${(lost * 100).toFixed(2)} %`,
    ];
    console.log(`| ${cells.join(' | ')} |`);
  }
}
