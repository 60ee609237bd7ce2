import assert from 'node:assert/strict';
import { test } from 'node:test';
import { propertyParameters } from '@sidekit/test-kit';
import fc from 'fast-check';
import { type Behaviour, podOf, Simulation } from './testing/simulation.ts';
import type { MachineOptions } from './types.ts';

const seconds = (max: number) => fc.integer({ min: 0, max: max * 1000 });
const often = <T>(value: T, arbitrary: fc.Arbitrary<T>) =>
  fc.oneof({ arbitrary: fc.constant(value), weight: 3 }, { arbitrary, weight: 1 });

const probe = fc.record({
  tcpSocket: fc.constant({ port: 1 }),
  periodSeconds: fc.integer({ min: 1, max: 5 }),
  failureThreshold: fc.integer({ min: 1, max: 3 }),
  initialDelaySeconds: fc.integer({ min: 0, max: 4 }),
});
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const hook = fc.constant({ exec: { command: ['x'] } });
const lifecycle = fc.record({ postStart: maybe(hook), preStop: maybe(hook) });
const probed = {
  startupProbe: maybe(probe),
  livenessProbe: maybe(probe),
  readinessProbe: maybe(probe),
};
const image = fc.constant('x');
const main = fc.record({ image, lifecycle: maybe(lifecycle), ...probed });
const sidecar = fc.record({
  image,
  restartPolicy: fc.constant('Always'),
  lifecycle: maybe(lifecycle),
  ...probed,
});
const init = fc.record({ image });

const spec = fc
  .record({
    initContainers: fc.array(fc.oneof(init, sidecar), { maxLength: 4 }),
    containers: fc.array(main, { minLength: 1, maxLength: 3 }),
    restartPolicy: fc.constantFrom('Always', 'OnFailure', 'Never'),
    terminationGracePeriodSeconds: fc.integer({ min: 0, max: 20 }),
    activeDeadlineSeconds: maybe(fc.integer({ min: 1, max: 200 })),
  })
  .map((one) => ({
    ...one,
    initContainers: one.initContainers.map((container, i) => ({ name: `i${i}`, ...container })),
    containers: one.containers.map((container, i) => ({ name: `m${i}`, ...container })),
  }));

const behaviour: fc.Arbitrary<Behaviour> = fc.record(
  {
    startAfter: seconds(3),
    exitAfter: seconds(60),
    exitCode: fc.integer({ min: 0, max: 3 }),
    termAfter: often(50, fc.oneof(seconds(30), fc.constant(Number.POSITIVE_INFINITY))),
    termCode: fc.constantFrom(0, 143),
    probe: fc
      .array(fc.boolean(), { minLength: 1, maxLength: 8 })
      .map(
        (answers) => (_: string, since: number) =>
          answers[Math.floor(since / 3000) % answers.length] ?? true,
      ),
    probeTakes: seconds(2),
    hookTakes: often(10, seconds(30)),
    hookOk: often(true, fc.boolean()),
    failStart: often(
      undefined as string | undefined,
      fc.constant('ErrImagePull'),
    ) as fc.Arbitrary<string>,
  },
  { requiredKeys: [] },
);

/** A Pod, the behaviour of its containers in each run, and when it is terminated. */
const scenario = fc.record({
  spec,
  behaviours: fc.array(behaviour, { minLength: 1, maxLength: 12 }),
  terminateAt: seconds(300),
  /** The sandbox is lost then, if at all. */
  lostAt: maybe(seconds(200)),
  grace: maybe(fc.integer({ min: 0, max: 15 })),
});
type Scenario = typeof scenario extends fc.Arbitrary<infer T> ? T : never;

const LEAST_WINDOW = 2000;

function play({ spec: wanted, behaviours, terminateAt, lostAt, grace }: Scenario): Simulation {
  const options: MachineOptions = { spec: podOf(JSON.parse(JSON.stringify(wanted))).spec };
  const simulation = new Simulation(options, (container, attempt) => {
    const index =
      (container.charCodeAt(1) * 7 + container.charCodeAt(0) + attempt) % behaviours.length;
    return behaviours[index] ?? {};
  });
  if (lostAt !== undefined) simulation.at(lostAt, { type: 'sandboxLost' });
  return simulation
    .at(terminateAt, { type: 'terminate', gracePeriodSeconds: grace })
    .run(Number.MAX_SAFE_INTEGER);
}

test('for random Pods: every Pod ends, and nothing runs or starts after its end', () => {
  fc.assert(
    fc.property(scenario, (one) => {
      const pod = play(one);
      assert.ok(pod.machine.ended);
      assert.equal(pod.up.size, 0);
      assert.equal(pod.trace.at(-1)?.what, 'ended');
      assert.ok(['Succeeded', 'Failed'].includes(pod.machine.phase));
      for (const { phase } of pod.machine.containers) assert.match(phase, /terminated|waiting/);
    }),
    propertyParameters(400),
  );
});

test('for random Pods: nothing starts before all init containers ahead of it have passed', () => {
  fc.assert(
    fc.property(scenario, (one) => {
      const pod = play(one);
      const order = [...one.spec.initContainers, ...one.spec.containers].map(({ name }) => name);
      for (const { container, at, what } of pod.trace) {
        if (what !== 'start') continue;
        for (const before of one.spec.initContainers) {
          if (order.indexOf(before.name) >= order.indexOf(container)) break;
          const passed =
            'restartPolicy' in before
              ? pod.times(before.name, 'started').some((time) => time <= at)
              : pod.times(before.name, 'exited').some((time) => time <= at);
          assert.ok(passed, `${container} started at ${at} before ${before.name} had passed`);
        }
      }
    }),
    propertyParameters(400),
  );
});

test('for random Pods: of each container at most one run is up at a time', () => {
  fc.assert(
    fc.property(scenario, (one) => {
      const up = new Set<string>();
      for (const { container, what } of play(one).trace) {
        if (what === 'start') assert.ok(!up.has(container), `${container} was started twice`);
        if (what === 'started') up.add(container);
        if (what === 'exited') up.delete(container);
      }
    }),
    propertyParameters(400),
  );
});

test('for random Pods: the grace period is kept', () => {
  fc.assert(
    fc.property(scenario, (one) => {
      const pod = play(one);
      const { ending } = pod.machine;
      assert.ok(ending);
      const starting = Math.max(0, ...one.behaviours.map(({ startAfter = 100 }) => startAfter));
      const ended = pod.time('pod', 'ended');
      // A container that is being started when the Pod ends comes up first, and gets its window.
      assert.ok(
        ended <= ending.deadline + starting + LEAST_WINDOW + 10,
        `ended at ${ended}, ${ended - ending.deadline} ms after the deadline`,
      );
      for (const { action, at } of pod.actions) {
        if (action.type !== 'signal' || action.signal !== 'SIGKILL') continue;
        const terms = pod.actions.filter(
          ({ action: other }) =>
            other.type === 'signal' &&
            other.signal === 'SIGTERM' &&
            other.container === action.container &&
            other.attempt === action.attempt,
        );
        assert.equal(terms.length, 1, 'SIGTERM comes once before SIGKILL');
        assert.ok(at >= (terms[0]?.at ?? at) + LEAST_WINDOW, 'there is time to react');
      }
    }),
    propertyParameters(400),
  );
});

test('for random Pods: a sidecar gets SIGTERM only when main containers and later sidecars are gone', () => {
  fc.assert(
    fc.property(scenario, (one) => {
      const pod = play(one);
      const { ending } = pod.machine;
      const order = [...one.spec.initContainers, ...one.spec.containers].map(({ name }) => name);
      const sidecars = one.spec.initContainers.filter((container) => 'restartPolicy' in container);
      const begun = pod.notes.length > 0;
      assert.ok(begun || pod.trace.length > 0);
      const endingAt = endingTime(pod);
      const up = new Set<string>();
      for (const { container, what, at } of pod.trace) {
        if (what === 'started') up.add(container);
        if (what === 'exited') up.delete(container);
        const last = sidecars.some(({ name }) => name === container);
        if (what !== 'SIGTERM' || !last || at < endingAt || at >= (ending?.deadline ?? at))
          continue;
        // Its own restart for a failed probe may be under way already.
        if (
          pod.notes.includes(`${container} Unhealthy`) ||
          pod.notes.includes(`${container} FailedPostStartHook`)
        )
          continue;
        const later = order.slice(order.indexOf(container) + 1);
        const held = later.filter((name) => up.has(name) && !isPlainInit(one, name));
        assert.deepEqual(held, [], `${container} was stopped at ${at} before ${held}`);
      }
    }),
    propertyParameters(400),
  );
});

test('the same events at the same times give the same actions', () => {
  fc.assert(
    fc.property(scenario, (one) => {
      assert.deepEqual(play(one).actions, play(one).actions);
    }),
    propertyParameters(100),
  );
});

function endingTime(pod: Simulation): number {
  const stops = pod.actions.filter(
    ({ action }) => action.type === 'note' && /^Stopping container/.test(action.message),
  );
  return stops[0]?.at ?? Number.POSITIVE_INFINITY;
}

function isPlainInit({ spec: { initContainers } }: Scenario, name: string): boolean {
  return initContainers.some((one) => one.name === name && !('restartPolicy' in one));
}
