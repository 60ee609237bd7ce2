import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Behaviour } from '../lifecycle/testing/simulation.ts';
import { narrate } from './narrative.ts';
import { outlineOf } from './outline.ts';
import { type SimulatedOptions, simulatedPod } from './testing/simulated-pod.ts';
import { timelineOf } from './timeline.ts';

const SPEC = `
initContainers:
  - {name: fetch, image: x}
  - {name: renderer, image: x, restartPolicy: Always, startupProbe: {httpGet: {port: 80, path: /}}}
containers:
  - {name: web, image: x, readinessProbe: {httpGet: {port: 80, path: /}}}
  - {name: worker, image: x}`;

const BEHAVIOURS: Readonly<Record<string, Behaviour>> = {
  fetch: { exitAfter: 800 },
  renderer: { probe: (_kind, since) => since > 1900 },
  web: { probe: (_kind, since) => since > 2500 },
  worker: { exitAfter: 3000, exitCode: 1 },
};

function timeline(options: Omit<SimulatedOptions, 'name' | 'spec'> & { readonly spec?: string }) {
  const { status, events } = simulatedPod({ name: 'p', spec: SPEC, ...options });
  const begin = Date.parse(status.metadata.creationTimestamp);
  return timelineOf(outlineOf(status.spec), events, begin);
}

const behaviour = (name: string): Behaviour => BEHAVIOURS[name] ?? {};

test('every wait has its reason: the init container, the startup probe, the back-off', () => {
  const { lanes, begin } = timeline({ behaviour, age: 30_000 });
  const waits = lanes.map(({ name, waits: all }) => [name, all.map(({ why }) => why)]);
  assert.deepEqual(waits, [
    ['fetch', ['its sandbox and its image']],
    ['renderer', ['fetch to complete']],
    ['web', ["renderer's startup probe"]],
    [
      'worker',
      [
        "renderer's startup probe",
        'restart',
        'back-off 10s restarting failed container worker',
        'back-off 20s restarting failed container worker',
      ],
    ],
  ]);
  const web = lanes.find(({ name }) => name === 'web');
  const renderer = lanes.find(({ name }) => name === 'renderer');
  const passed = renderer?.bars[0]?.segments.find(({ state }) => state === 'ready')?.from;
  assert.equal(web?.waits[0]?.to, passed, 'the wait ends when the probe passes');
  assert.equal(web?.waits[0]?.from, begin);
});

test('a container that will not run again waits for no restart, nor does a sidecar of a Pod that is complete', () => {
  const spec = (restartPolicy: string) => `${SPEC}\nrestartPolicy: ${restartPolicy}`;
  const waiting = (options: Omit<Parameters<typeof timeline>[0], 'age'>) =>
    timeline({ ...options, age: 9000 })
      .lanes.filter(({ waits }) => waits.some(({ to }) => to === undefined))
      .map(({ name }) => name);
  const ends = (exitCode: number) => (name: string) =>
    name === 'worker' ? { exitAfter: 1000, exitCode } : behaviour(name);
  assert.deepEqual(waiting({ spec: spec('Never'), behaviour: ends(1) }), []);
  assert.deepEqual(waiting({ spec: spec('OnFailure'), behaviour: ends(0) }), []);
  assert.deepEqual(waiting({ spec: spec('OnFailure'), behaviour: ends(1) }), ['worker']);
  assert.deepEqual(waiting({ spec: spec('Always'), behaviour: ends(0) }), ['worker']);
  const complete = (name: string) =>
    name === 'web' ? { exitAfter: 1000, exitCode: 0 } : ends(0)(name);
  assert.deepEqual(waiting({ spec: spec('Never'), behaviour: complete }), []);
});

test('a run shows its states in order, and its exit code', () => {
  const { lanes } = timeline({ behaviour, age: 9000, terminateAt: 8000 });
  const states = (name: string) =>
    lanes.find((lane) => lane.name === name)?.bars[0]?.segments.map(({ state }) => state);
  assert.deepEqual(states('fetch'), ['running']);
  assert.deepEqual(states('renderer'), ['starting', 'ready', 'stopping']);
  assert.deepEqual(states('web'), ['running', 'ready', 'stopping']);
  const worker = lanes.find(({ name }) => name === 'worker')?.bars;
  assert.deepEqual(
    worker?.map(({ exitCode }) => exitCode),
    [1, 0],
  );
});

test('the history in words names who waited for whom', () => {
  const { status, events } = simulatedPod({ name: 'p', spec: SPEC, behaviour, age: 9000 });
  const begin = Date.parse(status.metadata.creationTimestamp);
  const words = narrate(timelineOf(outlineOf(status.spec), events, begin), begin + 9000);
  const text = words.map((one) => one.text).join('\n');
  assert.match(text, /^renderer waited 0\.9 s for fetch to complete$/m);
  assert.match(text, /^web waited \d\.\d s for renderer's startup probe$/m);
  assert.match(text, /^web became ready after \d\.\d s$/m);
  assert.match(text, /^worker exited with 1 after 3\.0 s$/m);
});

test('whatever the containers do, bars follow each other, and segments fill them without gaps', () => {
  const some = fc.record({
    exitAfter: fc.option(fc.integer({ min: 0, max: 20_000 }), { nil: undefined }),
    exitCode: fc.integer({ min: 0, max: 2 }),
    passes: fc.integer({ min: 0, max: 10_000 }),
  });
  const pods = fc.record({
    behaviours: fc.record({ fetch: some, renderer: some, web: some, worker: some }),
    age: fc.integer({ min: 0, max: 60_000 }),
    terminateAt: fc.option(fc.integer({ min: 0, max: 60_000 }), { nil: undefined }),
  });
  fc.assert(
    fc.property(pods, ({ behaviours, age, terminateAt }) => {
      const of = (name: string): Behaviour => {
        const { exitAfter, exitCode, passes } = behaviours[name as keyof typeof behaviours];
        const probe = (_: unknown, since: number) => since >= passes;
        return { exitCode, probe, ...(exitAfter === undefined ? {} : { exitAfter }) };
      };
      const { lanes } = timeline({
        behaviour: of,
        age,
        ...(terminateAt === undefined ? {} : { terminateAt }),
      });
      for (const { bars, waits } of lanes) {
        for (const [i, { from, to, segments }] of bars.entries()) {
          assert.equal(segments[0]?.from, from);
          assert.equal(segments.at(-1)?.to, to);
          for (const [j, one] of segments.entries())
            if (j > 0) assert.equal(segments[j - 1]?.to, one.from);
          const next = bars[i + 1];
          if (next) assert.ok(to !== undefined && to <= next.from);
        }
        for (const { from, to } of waits) assert.ok(to === undefined || to >= from);
      }
    }),
    { numRuns: process.env.SIDEKIT_LONG ? 5000 : 200, seed: 18 },
  );
});
