/** The coordinator and its neighbours are killed in real containers, at every step of a sequence. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '@sidekit/test-kit';
import { parse, stringify } from 'yaml';
import type { Session } from '../engine/index.ts';
import { applyChanged, killProcess, LONG, restartsOf, run } from './kill.ts';

const POD = 'coordinator';
/** The names of the processes, by those of the containers. */
const PROCESSES = { coordinator: 'coordinator', app: 'webapp', worker: 'file-writer' } as const;
type Container = keyof typeof PROCESSES;
/** The steps of the plan; the sequence is held before one of them, or in its `always` part. */
const STEPS = ['pause-worker', 'reload-app', 'app-answers'] as const;
const ALWAYS = STEPS.length + 1;
/**
 * A request that takes longer than a kill on a busy machine, in milliseconds; a shorter one if it
 * runs to its end.
 */
const HELD = 60_000;
const HELD_TO_THE_END = 20_000;

interface State {
  readonly running: { readonly name: string } | null;
  readonly last: { readonly reload?: { readonly result: string; readonly failure?: string } };
}

const all = (Object.keys(PROCESSES) as Container[]).flatMap((victim) =>
  Array.from({ length: ALWAYS + 1 }, (_, place) => ({ victim, place })),
);
// The worker is paused, and only the always part resumes it, or a restart.
const short = all.filter(({ victim, place }) => victim !== 'app' && place === 1);

for (const { victim, place } of LONG ? all : short) {
  const where = place === ALWAYS ? 'in the always part' : `after ${place} of ${STEPS.length} steps`;
  test(`the ${victim} is killed ${where}: the worker is not left paused, and no step is repeated`, async () => {
    const toTheEnd = victim === 'worker' || place === ALWAYS;
    await using session = await applyHeldAt(place, toTheEnd ? HELD_TO_THE_END : HELD);
    await session.ready(POD);
    await trigger(session);
    await eventually(async () => (await state(session)).running?.name === 'held', {
      what: 'the sequence is held',
      interval: 100,
    });
    const from = victim === 'app' ? 'coordinator' : 'app';
    await killProcess(session, { pod: POD, from, process: PROCESSES[victim] });
    await eventually(async () => (await restartsOf(session, POD, victim)) > 0, {
      what: `a restart of the ${victim}`,
      interval: 200,
    });
    const { result, failure } = await eventually(async () => (await state(session)).last.reload, {
      what: 'the end of the sequence',
      interval: 200,
    });
    await session.ready(POD);
    await eventually(async () => (await pausedProcesses(session)) === '', {
      what: 'no process is paused',
      interval: 200,
    });
    if (victim === 'coordinator' && place !== ALWAYS) {
      assert.equal(result, 'failed');
      assert.match(failure ?? '', /the result of the step held is unknown/);
    }
    // A restarted app has a new log.
    const log = await session.logged(
      POD,
      'app',
      victim === 'app' ? /"event":"ready"/ : /GET .slow/,
    );
    const reloads = log.match(/"event":"reloaded"/g)?.length ?? 0;
    assert.ok(reloads <= 1, `${reloads} reloads`);
    if (victim !== 'coordinator') return;
    assert.equal(reloads, place > STEPS.indexOf('reload-app') ? 1 : 0);
    if (place !== ALWAYS) assert.equal(log.match(/GET .slow/g)?.length, 1);
  });
}

/** Applies the Pod with a plan that pauses at one place, and an event that starts it. */
function applyHeldAt(place: number, milliseconds: number): Promise<Session> {
  return applyChanged(POD, (objects) => {
    const { data } = objects.find(({ metadata }) => metadata.name === 'coordinator-plan')!;
    const plan = parse(data['plan.yaml'] ?? '');
    const reload = plan.sequences.find(({ name }: { name: string }) => name === 'reload');
    reload.when = [{ event: 'reload' }];
    assert.deepEqual(
      reload.steps.map(({ name }: { name: string }) => name),
      STEPS,
    );
    // An effect, so that it is not repeated among the steps.
    const url = `http://127.0.0.1:5000/slow?ms=${milliseconds}`;
    const held = { name: 'held', http: { url, method: 'GET' }, timeout: '3m' };
    // Steps of the always part must be repeatable.
    if (place === ALWAYS) reload.always.unshift({ ...held, repeatable: true });
    else reload.steps.splice(place, 0, held);
    data['plan.yaml'] = stringify(plan);
  });
}

async function trigger(session: Session): Promise<void> {
  const script = `fetch('http://127.0.0.1:9906/events/reload', { method: 'POST' })
    .then(({ status }) => console.log(status));`;
  assert.equal(await run(session, POD, 'app', script), '202');
}

async function state(session: Session): Promise<State> {
  return JSON.parse((await session.http(POD, 9906, '/state')).body);
}

/** Returns the names of stopped processes (state T of proc_pid_stat(5)). */
function pausedProcesses(session: Session): Promise<string> {
  const script = `
    const { readFileSync, readdirSync } = require('node:fs');
    for (const pid of readdirSync('/proc').filter(Number)) {
      try {
        const stat = readFileSync('/proc/' + pid + '/stat', 'utf8');
        if (stat.slice(stat.lastIndexOf(')') + 2).startsWith('T')) console.log(stat);
      } catch {}
    }`;
  return run(session, POD, 'app', script);
}
