import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PosixMQ, unlinkQueue } from '@sidekit/posix-mq';
import { eventually, type TestProcess, temporaryDirectory } from '@sidekit/test-kit';
import { pause } from '../testing/pause.ts';
import { consumed, depth, mq, numbered, testQueue } from '../testing/programs.ts';

/**
 * Every interleaving of starting the two sides, restarting either, and the queue missing, left
 * over from before or removed in between: every fifth one in the short form. With SIDEKIT_RUNS above
 * 1 all of them, also with up to 5 s between the two starts.
 */
const ORDERS = ['producer first', 'consumer first', 'together'] as const;
const EVENTS = ['nothing', 'producer restarted', 'consumer restarted', 'queue removed'] as const;
const TIMES = ['before the second starts', 'in the middle'] as const;
const QUEUES = ['missing', 'left over'] as const;
const DELIVERIES = ['at-most-once', 'at-least-once'] as const;

/** Fits into a queue that nobody reads; the rest does not. */
const FIRST = numbered(1, 8);
const REST = numbered(9, 300);
const long = Number(process.env.SIDEKIT_RUNS ?? 1) > 1;

interface Case {
  readonly order: (typeof ORDERS)[number];
  readonly event: (typeof EVENTS)[number];
  readonly time: (typeof TIMES)[number];
  readonly queue: (typeof QUEUES)[number];
  readonly delivery: (typeof DELIVERIES)[number];
}

function* cases(): Generator<Case> {
  for (const delivery of DELIVERIES)
    for (const queue of QUEUES)
      for (const order of ORDERS)
        for (const event of EVENTS)
          for (const time of TIMES) {
            const early = time === 'before the second starts';
            // What has not started cannot be restarted, and nothing is early to nothing.
            if (early && (order === 'together' || event === 'nothing')) continue;
            if (early && event === 'producer restarted' && order === 'consumer first') continue;
            if (early && event === 'consumer restarted' && order === 'producer first') continue;
            yield { delivery, queue, order, event, time };
          }
}

class Pair implements AsyncDisposable {
  readonly #args: readonly string[];
  readonly #name: string;
  readonly #all: TestProcess[] = [];
  producer: TestProcess | undefined;
  readonly consumers: TestProcess[] = [];

  constructor(name: string, args: readonly string[]) {
    this.#name = name;
    this.#args = ['--queue', name, '--check-interval', '20ms', ...args];
  }

  startProducer(records: readonly string[]) {
    this.producer = mq('producer', [...this.#args, '--source', 'stdin']);
    this.#all.push(this.producer);
    this.feed(records);
  }

  startConsumer() {
    const consumer = mq('consumer', this.#args);
    this.consumers.push(consumer);
    this.#all.push(consumer);
  }

  feed(records: readonly string[]) {
    if (records.length > 0) this.producer?.child.stdin?.write(`${records.join('\n')}\n`);
  }

  async restartProducer(records: readonly string[]) {
    await this.stop(this.producer);
    this.startProducer(records);
  }

  async restartConsumer() {
    await this.stop(this.consumers.at(-1));
    this.startConsumer();
  }

  async stop(program: TestProcess | undefined) {
    assert.ok(program);
    // Before that, a signal would only end Node.
    await program.event('starting');
    program.kill('SIGTERM');
    assert.deepEqual(await program.exited, { code: 0, signal: null }, program.stderr);
  }

  get consumed(): string[] {
    return consumed(...this.consumers.map(({ stdout }) => stdout));
  }

  get log(): string {
    return this.#all.map(({ stderr }) => stderr).join('--\n');
  }

  async end() {
    this.producer?.child.stdin?.end();
    const all = [this.producer, this.consumers.at(-1)];
    await eventually(() => all.every((one) => one?.child.exitCode !== null), {
      what: `both to end: ${this.log}\n${this.consumed.length} consumed`,
    });
    for (const one of all) assert.deepEqual(await one?.exited, { code: 0, signal: null }, this.log);
  }

  async queued(count: number) {
    await eventually(async () => (await depth(this.#name)) === count, {
      what: `${count} messages in the queue: ${this.log}`,
    });
  }

  async [Symbol.asyncDispose]() {
    for (const one of this.#all) await one[Symbol.asyncDispose]();
  }
}

async function run({ order, event, time, queue, delivery }: Case, offset: number) {
  await using name = testQueue();
  using directory = temporaryDirectory('mq');
  if (queue === 'left over') {
    const size = { maxmsgs: 9, msgsize: 512 };
    (await PosixMQ.open({ name: name.name, create: true, mode: 0o644, ...size })).close();
  }
  const args =
    delivery === 'at-least-once' ? ['--delivery', delivery, '--journal', directory.path] : [];
  await using pair = new Pair(name.name, args);
  const early = time === 'before the second starts';
  const act = async () => {
    if (event === 'producer restarted') await pair.restartProducer([]);
    if (event === 'consumer restarted') await pair.restartConsumer();
    if (event === 'queue removed') await unlinkQueue(name.name);
  };

  if (order === 'producer first') {
    pair.startProducer(FIRST);
    await pair.queued(FIRST.length);
    if (early) await act();
    await pause(offset);
    pair.startConsumer();
  } else {
    pair.startConsumer();
    if (order === 'consumer first') {
      await pair.consumers[0]!.event('starting');
      if (queue === 'left over') await pair.consumers[0]!.event('queue_open');
      if (early) await act();
      await pause(offset);
    }
    pair.startProducer(FIRST);
  }
  await eventually(() => pair.consumed.length === FIRST.length, {
    what: `the first records in ${pair.log}`,
  });
  if (!early) await act();
  pair.feed(REST);
  await pair.end();
  assert.deepEqual(pair.consumed, [...FIRST, ...REST, 'done']);
}

describe('any start order', { concurrency: 4 }, () => {
  for (const one of [...cases()].filter((_, i) => long || i % 5 === 0)) {
    const { order, event, time, queue, delivery } = one;
    test(`${delivery}: all records arrive in order and both sides exit 0: ${order}, the queue ${queue}, ${event}${event === 'nothing' ? '' : ` ${time}`}`, async () => {
      await run(one, 0);
      if (long) await run(one, Math.random() * 5000);
    });
  }
});
