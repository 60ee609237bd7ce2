import assert from 'node:assert/strict';
import { test } from 'node:test';
import { propertyParameters } from '@sidekit/test-kit';
import fc from 'fast-check';
import { World } from '../testing/lease-world.ts';

const ms = (max: number) => fc.integer({ min: 0, max });
const span = fc.record({ at: ms(60_000), lasts: ms(30_000) });
const candidate = fc.record({
  /** The wall clock: wrong by up to a day, which must not matter. */
  skew: fc.integer({ min: -86_400_000, max: 86_400_000 }),
  /** The speed of the monotonic clock. */
  speed: fc.double({ min: 0.95, max: 1.05, noNaN: true }),
  freezes: fc.array(span, { maxLength: 3 }),
  cuts: fc.array(span, { maxLength: 3 }),
  dies: fc.option(ms(60_000)),
});
const weather = fc.record({
  /** The longest way of a request and of a response, each. */
  latency: fc.constantFrom(5, 5, 500, 3000),
  failures: fc.constantFrom(0, 0, 0.1, 0.5),
  retryPeriod: fc.constantFrom(300, 2000),
  /** Others change the Lease without any claim, such as by kubectl annotate. */
  edits: fc.array(ms(60_000), { maxLength: 5 }),
  seed: fc.integer(),
});

test('no two replicas lead at one time, whatever their clocks, the network and the scheduler do', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(candidate, { minLength: 2, maxLength: 4 }),
      weather,
      async (candidates, conditions) => {
        const world = new World(candidates, conditions);
        await world.run(100_000);
        let highest = 0;
        for (const { token, who, at } of world.acts) {
          assert.ok(token >= highest, `${who} acted at ${at} in term ${token} after ${highest}`);
          highest = token;
        }
        const owners = new Map(world.acts.map(({ token, who }) => [token, who]));
        for (const { token, who } of world.acts) assert.equal(owners.get(token), who);
      },
    ),
    propertyParameters(80),
  );
});

const calm = { latency: 5, failures: 0, retryPeriod: 2000, edits: [], seed: 1 };
const steady = { skew: 0, speed: 1, freezes: [], cuts: [], dies: null };

/** The periods in which somebody led, as `WHO TOKEN`, without repetition. */
function terms(world: World): string[] {
  return [...new Set(world.acts.map(({ who, token }) => `${who} ${token}`))];
}

test('one leads as long as nothing happens, and an edit of the Lease does not end its term', async () => {
  const world = new World([steady, steady, steady], { ...calm, edits: [20_000, 20_500, 61_000] });
  await world.run(300_000);
  assert.equal(terms(world).length, 1);
  assert.ok(world.acts.at(-1)!.at > 299_000);
});

test('a killed leader is followed within its lease, a retry and its jitter', async () => {
  const world = new World([{ ...steady, dies: 60_000 }, steady], { ...calm, first: 0 });
  await world.run(120_000);
  assert.deepEqual(terms(world), ['replica0 1', 'replica1 2']);
  const taken = world.acts.find(({ who }) => who === 'replica1')!.at;
  assert.ok(taken > 60_000 + 10_000 && taken < 60_000 + 15_000 + 2 * 4400, `at ${taken}`);
});

test('a frozen leader does nothing when it continues, and later leads in a new term only', async () => {
  const frozen = { ...steady, freezes: [{ at: 60_000, lasts: 40_000 }], dies: null };
  const world = new World([frozen, { ...steady, dies: 150_000 }], { ...calm, first: 0 });
  await world.run(240_000);
  assert.deepEqual(terms(world), ['replica0 1', 'replica1 2', 'replica0 3']);
});

test('a leader that stops frees the Lease, which is taken at the next attempt', async () => {
  const world = new World([{ ...steady, stops: 60_000 }, steady], { ...calm, first: 0 });
  await world.run(120_000);
  assert.deepEqual(terms(world), ['replica0 1', 'replica1 2']);
  assert.ok(world.acts.find(({ who }) => who === 'replica1')!.at < 60_000 + 4400 + 100);
});

test('a Lease that was deleted ends the term, and one that is recreated repeats no token', async () => {
  const world = new World([steady, steady], { ...calm, first: 0 });
  await world.run(30_000);
  world.remove();
  await world.run(20_000);
  assert.ok(world.acts.at(-1)!.at < 30_000 + 2100);
  world.recreate();
  await world.run(20_000);
  const after = world.acts.at(-1)!;
  assert.ok(after.at > 69_000 && after.token >= 2, JSON.stringify(after));
});

test('a leader that cannot reach the API leads until its renew deadline and not longer', async () => {
  const cuts = [{ at: 60_000, lasts: 100_000 }];
  const world = new World([{ ...steady, cuts }], calm);
  await world.run(200_000);
  const before = world.acts.filter(({ token }) => token === 1).at(-1)!.at;
  assert.ok(before > 60_000 + 7000 && before <= 60_000 + 10_000, `at ${before}`);
  assert.ok(world.acts.at(-1)!.token > 1);
});

test('a Lease in which somebody wrote anything is read as far as it makes sense', async () => {
  const spec = { holderIdentity: 7, leaseDurationSeconds: 'x', leaseTransitions: -1 };
  const world = new World([steady], calm);
  world.write(spec);
  await world.run(10_000);
  assert.deepEqual(terms(world), ['replica0 1']);
  world.write({ holderIdentity: 'thief', leaseDurationSeconds: -5, leaseTransitions: 41 });
  await world.run(2100);
  assert.ok(world.acts.at(-1)!.at < 12_100, 'another holder ends the term');
  await world.run(30_000);
  assert.equal(world.acts.at(-1)!.token, 42);
});
