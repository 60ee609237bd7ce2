import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import {
  eventually,
  freePort,
  startProgram,
  TestProcess,
  temporaryDirectory,
  testEarlyStop,
} from '@sidekit/test-kit';
import { stringify } from 'yaml';
import { MAIN } from '../testing/read-plan.ts';

/** Serves the neighbours of a Pod: each path is an effect; one of them may be held. */
async function neighbours() {
  const effects: string[] = [];
  const hold = new Set<string>();
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    effects.push(path);
    if (!hold.has(path)) response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    effects,
    hold,
    url: (path: string) => `http://127.0.0.1:${port}${path}`,
    [Symbol.dispose]: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

function setUp(directory: string, plan: object) {
  const path = join(directory, 'plan.yaml');
  writeFileSync(path, stringify({ stateDir: join(directory, 'state'), ...plan }));
  return async () => {
    const port = await freePort();
    const program = startProgram(MAIN, ['--config', path, '--admin', `127.0.0.1:${port}`]);
    await program.event('ready');
    const admin = `http://127.0.0.1:${port}`;
    const post = async (event: string) =>
      (await fetch(`${admin}/events/${event}`, { method: 'POST' })).status;
    const state = async () =>
      (await (await fetch(`${admin}/state`)).json()) as { last: Record<string, unknown> };
    return {
      program,
      admin,
      post,
      state,
      [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
    };
  };
}

for (const [held, repeated] of [
  ['/pause', ['/pause', '/resume']],
  ['/reload', ['/pause', '/reload', '/resume']],
  ['/check', ['/pause', '/reload', '/check', '/check', '/resume']],
  ['/resume', ['/pause', '/reload', '/check', '/resume', '/resume']],
] as const) {
  test(`killed in ${held}, it resumes what was paused and repeats nothing else`, async () => {
    using directory = temporaryDirectory('coordinator');
    using world = await neighbours();
    const start = setUp(directory.path, {
      sequences: [
        {
          name: 'reload',
          when: [{ event: 'reload' }],
          steps: [
            { name: 'pause', http: { url: world.url('/pause') } },
            { name: 'reload', http: { url: world.url('/reload') } },
            { name: 'check', http: { url: world.url('/check') }, repeatable: true },
          ],
          always: [{ name: 'resume', http: { url: world.url('/resume') }, repeatable: true }],
        },
      ],
    });
    world.hold.add(held);
    {
      await using one = await start();
      assert.equal(await one.post('reload'), 202);
      await eventually(() => world.effects.includes(held), { what: `a request to ${held}` });
      one.program.kill('SIGKILL');
      await one.program.exited;
    }
    world.hold.clear();
    await using two = await start();
    await eventually(async () => (await two.state()).last.reload, { what: 'the end of the run' });
    assert.deepEqual(world.effects, [...repeated]);
    const file = join(directory.path, 'state/state.json');
    await eventually(() => JSON.parse(readFileSync(file, 'utf8')).last.reload, {
      what: 'the result in the state file',
    });
  });
}

test('a failed step ends the steps, the always part runs, and /readyz has a warning', async () => {
  using directory = temporaryDirectory('coordinator');
  using world = await neighbours();
  const start = setUp(directory.path, {
    sequences: [
      {
        name: 'reload',
        when: [{ event: 'reload' }],
        steps: [
          { name: 'gone', http: { url: `http://127.0.0.1:${await freePort()}/` } },
          { name: 'never', http: { url: world.url('/never') } },
        ],
        always: [{ http: { url: world.url('/resume') }, repeatable: true }],
      },
    ],
  });
  await using one = await start();
  await one.post('reload');
  const failed = await one.program.event('sequence_failed');
  assert.match(String(failed.error), /^gone: .*ECONNREFUSED/);
  assert.deepEqual(world.effects, ['/resume']);
  const ready = JSON.parse(await (await fetch(`${one.admin}/readyz`)).text());
  assert.equal(ready.status, 'ok');
  assert.equal(ready.warnings[0].name, 'sequence reload');
  const metrics = await (await fetch(`${one.admin}/metrics`)).text();
  assert.match(metrics, /coordinator_sequences_total\{sequence="reload",result="failed"\} 1/);
});

test('participants stop in the order of the plan', async () => {
  using directory = temporaryDirectory('coordinator');
  using world = await neighbours();
  const start = setUp(directory.path, {
    participants: ['app', 'worker'],
    sequences: [
      {
        name: 'stop',
        when: [{ stop: true }],
        steps: [
          { letStop: 'worker' },
          { http: { url: world.url('/drained') } },
          { letStop: 'app' },
        ],
      },
    ],
  });
  world.hold.add('/drained');
  await using one = await start();
  const stopped: string[] = [];
  const ask = async (name: string) => {
    const { status } = await fetch(`${one.admin}/stop/${name}`);
    stopped.push(`${name} ${status}`);
  };
  const all = [ask('app'), ask('worker')];
  await eventually(() => world.effects.length === 1, { what: 'the second step' });
  await eventually(() => stopped.length === 1, { what: 'the first participant' });
  assert.deepEqual(stopped, ['worker 200']);
  one.program.kill('SIGTERM');
  // The stop is under way: the end of the Pod does not run it again.
  world.hold.clear();
  const { program } = one;
  void Promise.all(all).catch(() => {});
  assert.ok(program.log.some(({ event }) => event === 'pod_stopping'));
});

test('a changed file, a condition and an interval are triggers, and HUP reaches a process', async () => {
  using directory = temporaryDirectory('coordinator');
  const watched = join(directory.path, 'watched');
  const flag = join(directory.path, 'flag');
  const name = `app${process.pid}`;
  const script = `require('fs').writeFileSync('/proc/self/comm', '${name}');
    process.on('SIGHUP', () => console.log('reloaded')); setInterval(() => {}, 1000);
    console.log('up');`;
  await using app = new TestProcess(process.execPath, ['-e', script]);
  await eventually(() => app.stdout.includes('up'), { what: 'the app' });
  writeFileSync(watched, 'one');
  const start = setUp(directory.path, {
    sequences: [
      {
        name: 'reload',
        when: [{ changed: watched }],
        steps: [{ signal: { process: name, signal: 'HUP' } }],
      },
      {
        name: 'flagged',
        when: [{ condition: { target: `file:${flag}`, interval: '100ms' } }],
        steps: [{ write: { path: join(directory.path, 'seen'), content: 'yes' } }],
      },
      { name: 'tick', when: [{ interval: '100ms' }], steps: [{ pause: '1ms' }] },
    ],
  });
  await using one = await start();
  const observed = () => readFileSync(join(directory.path, 'state/journal.json'), 'utf8');
  await eventually(() => observed().includes(watched) && observed().includes(flag), {
    what: 'the first observations',
  });
  writeFileSync(watched, 'two');
  writeFileSync(flag, '');
  await eventually(() => app.stdout.includes('reloaded'), { what: 'the signal' });
  const results = async () => Object.keys((await one.state()).last).toSorted();
  await eventually(async () => (await results()).length === 3, { what: 'all three' });
  assert.equal(readFileSync(join(directory.path, 'seen'), 'utf8'), 'yes');
});

const early = temporaryDirectory('coordinator');
after(() => early.remove());
const earlyPlan = join(early.path, 'plan.yaml');
writeFileSync(
  earlyPlan,
  stringify({
    stateDir: join(early.path, 'state'),
    sequences: [{ name: 'start', when: [{ start: true }], steps: [{ pause: '10s' }] }],
  }),
);
testEarlyStop(MAIN, ['--config', earlyPlan, '--admin', '127.0.0.1:0']);
