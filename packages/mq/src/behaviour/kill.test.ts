import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { unlinkQueue } from '@sidekit/posix-mq';
import { unlinkSegment } from '@sidekit/shared-memory';
import {
  eventually,
  propertyParameters,
  type TestProcess,
  temporaryDirectory,
} from '@sidekit/test-kit';
import fc from 'fast-check';
import { pause } from '../testing/pause.ts';
import { mq, numbered, testQueue, testRing } from '../testing/programs.ts';

/** The long form kills 200 times while 100,000 records pass, a million through a ring. */
const FACTOR = process.env.SIDEKIT_LONG === '1' ? 20 : 1;
const KILLS = 10 * FACTOR;
const RECORDS = { queue: 5000 * FACTOR, ring: FACTOR === 1 ? 20_000 : 1_000_000 };

type Side = 'producer' | 'consumer';
type Blow = typeof blow extends fc.Arbitrary<infer T> ? T : never;

/**
 * A fault: its victim, and its time, once this part of the records is delivered and `delay`
 * milliseconds later; with `again`, the victim is killed once more so many milliseconds after its
 * restart.
 */
const blow = fc.record({
  victim: fc.oneof(
    { weight: 8, arbitrary: fc.constant('producer' as const) },
    { weight: 8, arbitrary: fc.constant('consumer' as const) },
    { weight: 1, arbitrary: fc.constantFrom('queue' as const, 'acknowledgements' as const) },
  ),
  part: fc.double({ min: 0, max: 0.8, noNaN: true }),
  delay: fc.double({ min: 0, max: 2, noNaN: true }),
  again: fc.option(fc.nat(200), { freq: 4 }),
});

for (const kind of ['queue', 'ring'] as const) {
  test(`property: at-least-once over a ${kind} delivers every record once and in order, whatever is killed`, {
    timeout: 600_000 * FACTOR,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.noBias(fc.array(blow, { minLength: KILLS, maxLength: KILLS })),
        fc.boolean(),
        fc.constantFrom(1, 3, 10),
        async (blows, batch, maxmsg) => {
          const make = ['--maxmsg', `${maxmsg}`, '--msgsize', '64'];
          make.push(batch ? '--batch' : '--no-batch');
          let kills = 0;
          // All can be over before this process has its turn on a busy machine: then with more records.
          for (let i = 0; i < 4 && kills < KILLS / 2; i++) {
            kills = await deliver(kind, RECORDS[kind] * 4 ** i, blows, make);
          }
          assert.ok(kills >= KILLS / 2, `only ${kills} kills before the end`);
        },
      ),
      { ...propertyParameters(1), numRuns: kind === 'queue' ? 2 : 1, endOnFailure: true },
    );
  });
}

/** Delivers so many records while the blows fall. @returns the number of kills before the end. */
async function deliver(
  kind: 'queue' | 'ring',
  count: number,
  blows: readonly Blow[],
  make: string[],
): Promise<number> {
  const records = `${numbered(1, count).join('\n')}\n`;
  await using queue = kind === 'queue' ? testQueue() : testRing();
  using directory = temporaryDirectory('mq-kill');
  const input = join(directory.path, 'input');
  const output = join(directory.path, 'output');
  writeFileSync(input, records);
  await using pair = new Supervised(queue.name, directory.path, input, output, make);
  for (const one of blows.toSorted((a, b) => a.part - b.part)) {
    await eventually(() => pair.finished || sizeOf(output) >= one.part * records.length, {
      what: `${one.part} of the records in ${pair.log}`,
      interval: 1,
    });
    await pause(one.delay);
    if (one.victim === 'queue') await unlink(queue.name);
    else if (one.victim === 'acknowledgements') await unlink(`${queue.name}.ack`);
    else await pair.kill(one.victim);
    if (one.again === null || one.victim === 'queue') continue;
    if (one.victim === 'acknowledgements') continue;
    await pause(one.again);
    await pair.kill(one.victim);
  }
  await eventually(() => pair.finished, {
    what: `both to end: ${pair.log}`,
    timeout: 240_000 + count,
  });
  assert.ok(readFileSync(output, 'utf8') === records, differenceOf(output, records));
  return pair.kills;
}

async function unlink(queue: string) {
  if (queue.startsWith('ring:')) unlinkSegment(queue.slice('ring:'.length));
  else await unlinkQueue(queue);
}

/** Both sides, each started again when it was killed, as by the kubelet. */
class Supervised implements AsyncDisposable {
  readonly #start: Record<Side, () => TestProcess>;
  readonly #running: Record<Side, TestProcess | undefined> = {
    producer: undefined,
    consumer: undefined,
  };
  readonly #ended: Record<Side, boolean> = { producer: false, consumer: false };
  readonly #failures: string[] = [];
  #closed = false;
  kills = 0;

  constructor(queue: string, journal: string, input: string, output: string, make: string[]) {
    const common = ['--queue', queue, '--delivery', 'at-least-once', '--journal', journal];
    const fast = ['--check-interval', '50ms'];
    this.#start = {
      producer: () =>
        mq('producer', [
          ...[...common, ...fast, '--redeliver-after', '200ms', '--source', 'file'],
          ...['--file', input, ...make],
        ]),
      consumer: () => mq('consumer', [...common, ...fast, '--sink', 'file', '--file', output]),
    };
    for (const side of ['producer', 'consumer'] as const) void this.#supervise(side);
  }

  /** Kills a side, unless it has ended well before. */
  async kill(side: Side) {
    const program = this.#running[side];
    program?.kill('SIGKILL');
    await program?.exited;
  }

  get finished(): boolean {
    assert.deepEqual(this.#failures, []);
    return this.#ended.producer && this.#ended.consumer;
  }

  get log(): string {
    return `${this.#running.producer?.stderr}\n--\n${this.#running.consumer?.stderr}`;
  }

  async #supervise(side: Side) {
    while (!this.#closed) {
      const program = this.#start[side]();
      this.#running[side] = program;
      const { code, signal } = await program.exited;
      if (signal === 'SIGKILL') {
        this.kills++;
        continue;
      }
      if (code !== 0) this.#failures.push(`${side} exited with ${code}: ${program.stderr}`);
      this.#ended[side] = true;
      return;
    }
  }

  async [Symbol.asyncDispose]() {
    this.#closed = true;
    for (const program of Object.values(this.#running)) await program?.[Symbol.asyncDispose]();
  }
}

function sizeOf(path: string): number {
  return existsSync(path) ? statSync(path).size : 0;
}

function differenceOf(output: string, records: string): string {
  const wanted = records.split('\n');
  const found = readFileSync(output, 'utf8').split('\n');
  const at = found.findIndex((line, i) => line !== wanted[i]);
  return `${found.length - 1} of ${wanted.length - 1} lines; line ${at + 1} is "${found[at]}", not "${wanted[at]}"`;
}
