import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { propertyParameters } from '@sidekit/test-kit';
import fc from 'fast-check';
import { RingProducer, Segment, unlinkSegment } from '../index.ts';
import { MIN_CAPACITY, Word } from '../ring/layout.ts';
import { type Report, State } from '../testing/control.ts';
import { Actor } from '../testing/theatre.ts';

/**
 * The real algorithms, each participant in a thread of its own that stops before every atomic
 * step on a shared word. The test decides who goes next, and kills participants at any step.
 * Without kills no wake-up may be lost; with kills a waiter may need its time slice.
 */
const PRODUCERS = 3;
const parameters: fc.Parameters<[Plan]> = {
  ...(propertyParameters(process.env.SIDEKIT_LONG === '1' ? 5_000 : 60) as fc.Parameters<[Plan]>),
  // To make a plan smaller takes longer than to find it: its path is printed.
  endOnFailure: true,
};

/** A choice of this value and above kills instead of letting go. */
const KILL = 960;
const MAX_KILLS = 6;

const actors = Array.from({ length: PRODUCERS + 1 }, () => new Actor());
after(() => Promise.all(actors.map((actor) => actor.close())));

let serial = 0;

interface Plan {
  /** Who goes next, modulo those who can. */
  readonly choices: readonly number[];
  /** Bytes of the records of each producer. */
  readonly lengths: readonly (readonly number[])[];
  readonly batch: number;
}

const plans = (most: number): fc.Arbitrary<Plan> =>
  fc.record({
    choices: fc.array(fc.nat({ max: most }), { maxLength: 600, size: 'max' }),
    // Two or three fill the ring.
    lengths: fc.array(
      fc.array(
        fc.oneof(
          fc.integer({ min: 4, max: 12 }),
          fc.integer({ min: 20_000, max: 40_000 }),
          fc.constant(MIN_CAPACITY - 4),
        ),
        { minLength: 1, maxLength: 4 },
      ),
      { minLength: 1, maxLength: PRODUCERS },
    ),
    batch: fc.integer({ min: 1, max: 3 }),
  });

async function play({ choices, lengths, batch }: Plan) {
  const name = `/sidekit-model-${process.pid}-${serial++}`;
  (await RingProducer.open({ name, create: true, capacity: MIN_CAPACITY })).close();
  using segment = await Segment.open({ name });
  const words = new Int32Array(segment.buffer);
  try {
    const tasks = [
      { actor: 0, name, consumes: true, lengths: [], batch },
      ...lengths.map((own, i) => ({ actor: i + 1, name, consumes: false, lengths: own, batch })),
    ];
    const cast = actors.slice(0, tasks.length);
    const reports = cast.map((actor, i) => actor.start(tasks[i]!));
    try {
      run(cast, words, choices);
    } finally {
      for (const actor of cast) if (actor.state !== State.done) actor.kill(true);
    }
    judge(await Promise.all(reports), lengths);
  } finally {
    unlinkSegment(name);
  }
}

/** Lets the participants go, one step of one of them at a time, until all is delivered. */
function run(cast: readonly Actor[], words: Int32Array, choices: readonly number[]) {
  const producers = cast.slice(1);
  const drained = () => Atomics.load(words, Word.tail) === Atomics.load(words, Word.head);
  let kills = 0;
  let idle = 0;
  for (let turn = 0; ; turn++) {
    const ready = cast.filter(({ sleeping, state }) => !sleeping && state !== State.done);
    if (ready.length === 0) {
      const finished = producers.every(({ state }) => state === State.done);
      if (finished && drained()) return;
      // Nobody who lives forgot to wake: only who was killed may have.
      assert.ok(kills > 0, 'a wake-up was lost');
      assert.ok(++idle < 4, 'nobody makes progress');
      for (const actor of cast.filter(({ sleeping }) => sleeping)) wake(actor);
      continue;
    }
    const choice = choices[turn] ?? turn;
    const actor = ready[choice % ready.length]!;
    const { state } = actor;
    if (turn < choices.length && choice >= KILL && kills < MAX_KILLS && state !== State.dead) {
      kills++;
      idle = 0;
      actor.kill();
    } else if (state === State.asleep && !woken.has(actor)) {
      // FUTEX_WAIT: compares and sleeps in one step.
      if (Atomics.load(words, actor.index) === actor.expected) actor.sleeping = true;
      else actor.go();
    } else {
      if (state === State.wake) {
        for (const other of cast) if (other.sleeping && other.index === actor.index) wake(other);
      }
      woken.delete(actor);
      actor.go();
    }
    assert.ok(turn < 100_000, 'the participants do not come to an end');
  }
}

/** Who was woken, or whose time slice is over: it does not compare the word again. */
const woken = new WeakSet<Actor>();

function wake(actor: Actor) {
  actor.sleeping = false;
  woken.add(actor);
}

/** Compares what was found with what was published. */
function judge(reports: readonly Report[], lengths: readonly (readonly number[])[]) {
  for (const { failure } of reports) assert.equal(failure, undefined);
  const [consumer, ...producers] = reports;
  const lives = consumer!.readers;
  const found = lives.flat();
  for (const one of found) {
    assert.ok(one.intact, `record ${one.number} of ${one.actor} is torn`);
    assert.equal(one.length, Math.max(lengths[one.actor - 1]?.[one.number] ?? -1, 4));
  }
  for (const { actor, published, unsure } of producers) {
    for (const life of lives) {
      const numbers = life.filter((one) => one.actor === actor).map(({ number }) => number);
      assert.deepEqual(
        numbers,
        [...new Set(numbers)].sort((a, b) => a - b),
        'order, no duplicates',
      );
    }
    const numbers = new Set(found.filter((one) => one.actor === actor).map(({ number }) => number));
    for (const number of published) assert.ok(numbers.delete(number), `${number} is lost`);
    for (const batch of unsure) {
      const there = batch.filter((number) => numbers.delete(number));
      assert.ok(there.length === 0 || there.length === batch.length, 'half of a batch');
    }
    assert.equal(numbers.size, 0, 'records that nobody published');
  }
  // A life begins no later than the one before it ended: with what was not released.
  for (const [i, life] of lives.entries()) {
    const before = new Set(lives.slice(0, i).flat().map(keyOf));
    const again = life.findIndex((one) => !before.has(keyOf(one)));
    const news = again === -1 ? [] : life.slice(again);
    assert.ok(
      news.every((one) => !before.has(keyOf(one))),
      'old records after new ones',
    );
  }
}

const keyOf = ({ actor, number }: { actor: number; number: number }) => `${actor}:${number}`;

test('in any interleaving of atomic steps every record arrives once, and no wake-up is lost', async () => {
  await fc.assert(fc.asyncProperty(plans(KILL - 1), play), parameters);
});

test('with kills at any atomic step no record is lost or torn, and the others continue', async () => {
  await fc.assert(fc.asyncProperty(plans(999), play), parameters);
});
