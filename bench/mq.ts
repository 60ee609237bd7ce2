import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { RingProducer, unlinkSegment } from '@sidekit/shared-memory';
import { eventually, TestProcess as Program, type TestProcess } from '@sidekit/test-kit';
import { hostArchitecture } from '../images/architecture.ts';
import { bundle } from '../images/bundle.ts';
import { IMAGES } from '../images/catalog.ts';
import { warmCodeCache } from '../images/code-cache.ts';
import { nodeBinary } from '../images/node-binary.ts';
import { NODE_FLAGS } from '../images/node-flags.ts';
import { median } from './support/statistics.ts';

/**
 * `mq producer` and `mq consumer`, as their image runs them, next to the same loops in C: two
 * processes, 64-byte records, a queue of 10 × 1024 B or a ring of 1 MiB, from a file to /dev/null.
 * Interleaved rounds, medians. Then what a ring costs that nobody uses, and how late a record
 * arrives at 1,000 records/s.
 */
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 11);
const RECORD = 64;
const PLAIN = 400_000;
const BATCH = 2_000_000;

const RING_PEER = fileURLToPath(new URL('./mq/ring.c', import.meta.url));
const PEER = fileURLToPath(new URL('./mq/peer.c', import.meta.url));
const LATENCY = fileURLToPath(new URL('./mq/ring-latency.ts', import.meta.url));
/** How long two idle sides of a ring are watched, in milliseconds. */
const IDLE = 10_000;

/** The result of one run of one contestant. */
interface Result {
  readonly rate: number;
  /** µs of user and system time a record, both processes. */
  readonly cpu: number;
  /** The peak of the larger process, in MiB. */
  readonly rss: number;
}

interface Usage {
  readonly seconds: number;
  readonly rss: number;
}

/** Runs the benchmark and prints its table. @throws Error where gcc is missing or a run fails. */
export async function run(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'sidekit-bench-mq-'));
  try {
    const peer = join(directory, 'peer');
    execFileSync('gcc', ['-O2', '-Wall', '-o', peer, PEER, '-lrt'], { stdio: 'inherit' });
    const ringPeer = join(directory, 'ring');
    execFileSync('gcc', ['-O2', '-Wall', '-o', ringPeer, RING_PEER], { stdio: 'inherit' });
    await bundleMq(directory);
    const input = (count: number) => {
      const path = join(directory, `${count}`);
      writeFileSync(path, `${'x'.repeat(RECORD)}\n`.repeat(count));
      return path;
    };
    const [one, plain, batch] = [input(1), input(PLAIN), input(BATCH)];
    const idle = await usageOf(peer, one);
    const contestants = {
      'C, one record a message': () => runPeer(peer),
      'mq, one record a message': () => runMq(peer, plain, PLAIN, [], idle),
      'mq --batch': () => runMq(peer, batch, BATCH, ['--batch'], idle),
      'C over a ring': () => runRingPeer(peer, ringPeer),
      'mq over a ring': () => runMq(peer, batch, BATCH, [], idle, temporaryRing()),
      'mq over a ring --batch': () => runMq(peer, batch, BATCH, ['--batch'], idle, temporaryRing()),
    };
    const results = new Map<string, Result[]>();
    for (let round = 0; round < ROUNDS; round++) {
      for (const [name, start] of Object.entries(contestants)) {
        results.set(name, [...(results.get(name) ?? []), await start()]);
      }
    }
    print(results);
    await printIdle();
    console.log(execFileSync(process.execPath, [LATENCY], { encoding: 'utf8' }).trim());
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** How the image starts mq: the program, and its arguments up to the command. */
let mqLine: readonly string[] = [];

async function bundleMq(directory: string): Promise<void> {
  const image = IMAGES.find(({ name }) => name === 'mq')!;
  const app = join(directory, 'app');
  await bundle(image, app, hostArchitecture());
  await warmCodeCache(image, app);
  mqLine = [nodeBinary(), ...NODE_FLAGS, join(app, 'main.cjs')];
}

/** Prints the CPU time of a producer and a consumer that wait for each other, over a ring. */
async function printIdle(): Promise<void> {
  using ring = temporaryRing();
  const start = (command: string, ...args: string[]) => {
    const [node = '', ...line] = mqLine;
    const common = ['--admin', '127.0.0.1:0', '--queue', ring.name];
    return new Program(node, [...line, command, ...common, ...args]);
  };
  await using producer = start('producer', '--source', 'stdin');
  await using consumer = start('consumer', '--sink', 'file', '--file', '/dev/null');
  await Promise.all([producer.event('ready'), consumer.event('ready')]);
  await pause(IDLE / 5);
  const programs = Object.entries({ producer, consumer });
  const used = () => programs.map(([, { child }]) => cpuSeconds(child.pid!));
  const before = used();
  await pause(IDLE);
  const shares = used().map((after, i) => (after - before[i]!) / (IDLE / 1000));
  const text = programs.map(([name], i) => `${name} ${(100 * shares[i]!).toFixed(2)}%`);
  console.log(`idle over a ring, of a core: ${text.join(', ')}`);
}

/** The user and system time of a process so far (proc_pid_stat(5)), in seconds. */
function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function print(results: ReadonlyMap<string, readonly Result[]>) {
  const base = results.values().next().value ?? [];
  console.log(
    `mq: ${RECORD}-byte records between two processes, queue of 10 × 1024 B, medians of ${ROUNDS} interleaved rounds`,
  );
  console.table(
    Object.fromEntries(
      [...results].map(([name, rounds]) => [
        name,
        {
          'records/s': Math.round(median(rounds.map(({ rate }) => rate))),
          'of C': Number(median(rounds.map(({ rate }, i) => rate / base[i]!.rate)).toFixed(2)),
          'CPU µs/record': Number(median(rounds.map(({ cpu }) => cpu)).toFixed(3)),
          'peak RSS MiB': Number(median(rounds.map(({ rss }) => rss)).toFixed(1)),
        },
      ]),
    ),
  );
}

async function runPeer(peer: string): Promise<Result> {
  using queue = temporaryQueue();
  const consumer = new Program(peer, ['run', peer, 'consume', queue.name, `${PLAIN}`]);
  const producer = new Program(peer, ['run', peer, 'produce', queue.name, `${PLAIN}`, `${RECORD}`]);
  const usages = await Promise.all([finished(producer), finished(consumer)]);
  return result(PLAIN, Number(consumer.stdout), usages, 0);
}

async function runRingPeer(peer: string, ringPeer: string): Promise<Result> {
  using ring = temporaryRing();
  // The programs open a ring that exists.
  (await RingProducer.open({ name: ring.segment, create: true, capacity: 1024 * 1024 })).close();
  const args = ['run', ringPeer];
  const consumer = new Program(peer, [...args, 'consume', ring.segment, `${BATCH}`]);
  const producer = new Program(peer, [...args, 'produce', ring.segment, `${BATCH}`, `${RECORD}`]);
  const usages = await Promise.all([finished(producer), finished(consumer)]);
  return result(BATCH, Number(consumer.stdout), usages, 0);
}

async function runMq(
  peer: string,
  input: string,
  count: number,
  args: readonly string[],
  idle: number,
  { name, ...removal }: TemporaryQueue = temporaryQueue(),
): Promise<Result> {
  using _queue = removal;
  const { producer, consumer, usages } = await runPair(peer, name, input, args);
  const start = Date.parse(String((await producer.event('queue_created')).time));
  const end = Date.parse(String((await consumer.event('exit_message')).time));
  return result(count, (end - start) / 1000, usages, idle);
}

/** CPU seconds of a pair that passes one record: what starting and stopping take. */
async function usageOf(peer: string, input: string): Promise<number> {
  const totals: number[] = [];
  for (let i = 0; i < 3; i++) {
    using queue = temporaryQueue();
    const { usages } = await runPair(peer, queue.name, input, []);
    totals.push(usages.reduce((sum, { seconds }) => sum + seconds, 0));
  }
  return median(totals);
}

async function runPair(peer: string, queue: string, input: string, args: readonly string[]) {
  const mq = (command: string, rest: readonly string[]) => {
    const line = ['run', ...mqLine, command, '--admin', '127.0.0.1:0'];
    return new Program(peer, [...line, '--queue', queue, ...rest]);
  };
  const consumer = mq('consumer', ['--sink', 'file', '--file', '/dev/null']);
  // The producer creates the queue and begins: the consumer must be there already.
  await consumer.event('starting');
  await eventually(() => consumer.child.pid, { what: 'the consumer' });
  const producer = mq('producer', ['--source', 'file', '--file', input, ...args]);
  const usages = await Promise.all([finished(producer), finished(consumer)]);
  return { producer, consumer, usages };
}

async function finished(program: TestProcess): Promise<Usage> {
  const { code } = await program.exited;
  if (code !== 0) throw new Error(`exit code ${code}: ${program.stderr}`);
  const [, user, system, rss] = /^usage (\S+) (\S+) (\d+)$/m.exec(program.stderr) ?? [];
  return { seconds: Number(user) + Number(system), rss: Number(rss) / 1024 };
}

function result(count: number, seconds: number, usages: readonly Usage[], idle: number): Result {
  const cpu = usages.reduce((sum, usage) => sum + usage.seconds, 0) - idle;
  return {
    rate: count / seconds,
    cpu: (cpu / count) * 1e6,
    rss: Math.max(...usages.map(({ rss }) => rss)),
  };
}

let serial = 0;

interface TemporaryQueue extends Disposable {
  readonly name: string;
}

function temporaryRing(): TemporaryQueue & { readonly segment: string } {
  const segment = `/sidekit-bench-${process.pid}-${serial++}`;
  const remove = () => void unlinkSegment(segment);
  return { name: `ring:${segment}`, segment, [Symbol.dispose]: remove };
}

function temporaryQueue(): TemporaryQueue {
  const name = `/sidekit-bench-${process.pid}-${serial++}`;
  return {
    name,
    [Symbol.dispose]: () => {
      try {
        unlinkSync(`/dev/mqueue${name}`);
      } catch {
        // It was never made.
      }
    },
  };
}

if (import.meta.main) await run();
