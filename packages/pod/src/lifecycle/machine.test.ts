import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Behaviour, podOf, Simulation } from './testing/simulation.ts';

type Behaviours = Readonly<Record<string, Behaviour | ((attempt: number) => Behaviour)>>;

function simulate(spec: string, behaviours: Behaviours = {}, options: object = {}): Simulation {
  return new Simulation({ spec: podOf(spec).spec, ...options }, (container, attempt) => {
    const one = behaviours[container];
    return (typeof one === 'function' ? one(attempt) : one) ?? {};
  });
}

const MINUTE = 60_000;

describe('start', () => {
  test('init containers run one after another, then the main containers together', () => {
    const pod = simulate(
      `
initContainers: [{name: i1, image: x}, {name: i2, image: x}]
containers: [{name: a, image: x}, {name: b, image: x}]`,
      { i1: { exitAfter: 1000 }, i2: { exitAfter: 10 } },
    ).run(MINUTE);
    assert.deepEqual(pod.order, [
      ...['i1 start', 'i1 started', 'i1 exited', 'i2 start', 'i2 started', 'i2 exited'],
      ...['a start', 'b start', 'a started', 'b started'],
    ]);
    assert.equal(pod.machine.phase, 'Running');
    assert.ok(pod.machine.ready);
  });

  test('a sidecar without a startup probe lets the next start once it runs', () => {
    const pod = simulate(
      `
initContainers: [{name: s, image: x, restartPolicy: Always}, {name: i, image: x}]
containers: [{name: a, image: x}]`,
      { i: { exitAfter: 10 } },
    ).run(MINUTE);
    assert.deepEqual(pod.order.slice(0, 4), ['s start', 's started', 'i start', 'i started']);
  });

  test('a sidecar with a startup probe holds the next until the probe passes', () => {
    const pod = simulate(
      `
initContainers:
- {name: s, image: x, restartPolicy: Always, startupProbe: {tcpSocket: {port: 1}, periodSeconds: 1}}
containers: [{name: a, image: x}]`,
      { s: { probe: (_, since) => since >= 2500 } },
    ).run(MINUTE);
    const waited = pod.time('a', 'start') - pod.time('s', 'started');
    assert.ok(waited >= 2500 && waited <= 3510, `${waited} ms`);
  });

  test("a sidecar's postStart holds the next, and so does a main container's", () => {
    const pod = simulate(
      `
initContainers:
- {name: s, image: x, restartPolicy: Always, lifecycle: {postStart: {sleep: {seconds: 3}}}}
containers:
- {name: a, image: x, lifecycle: {postStart: {exec: {command: [x]}}}}
- {name: b, image: x}`,
      { s: { hookTakes: 3000 }, a: { hookTakes: 2000 } },
    ).run(MINUTE);
    assert.ok(pod.time('a', 'start') - pod.time('s', 'started') >= 3000);
    assert.ok(pod.time('b', 'start') - pod.time('a', 'started') >= 2000);
  });

  test('a sidecar that crashes later does not delay what comes after it', () => {
    const pod = simulate(
      `
initContainers: [{name: s, image: x, restartPolicy: Always}, {name: i, image: x}]
containers: [{name: a, image: x}]
restartPolicy: Never`,
      {
        s: (attempt) => (attempt < 3 ? { exitAfter: 200, exitCode: 1 } : {}),
        i: { exitAfter: 5000 },
      },
    ).run(MINUTE);
    assert.ok(pod.times('s', 'started').length >= 3);
    assert.ok(pod.time('a', 'start') < 6000, 'the main container did not wait for the sidecar');
  });

  test('an image that cannot be had is tried again after the back-off, and counts no restart', () => {
    const pod = simulate('containers: [{name: a, image: x}]', {
      a: (attempt) => (attempt < 2 ? { failStart: 'ErrImagePull' } : {}),
    }).run(5 * MINUTE);
    const starts = pod.times('a', 'start');
    assert.equal(starts.length, 3);
    assert.ok((starts[1] ?? 0) - (starts[0] ?? 0) >= 10_000);
    assert.equal(pod.machine.containers[0]?.runs, 1);
    assert.deepEqual(pod.notes, ['a Failed', 'a Started']);
  });
});

describe('restart', () => {
  test('back-off is 0, 10 s, 20 s … 5 min, counted from the end of the run before', () => {
    const pod = simulate('containers: [{name: a, image: x}]', {
      a: { startAfter: 0, exitAfter: 1000, exitCode: 1 },
    }).run(60 * MINUTE);
    const exits = pod.times('a', 'exited');
    const starts = pod.times('a', 'start').slice(1);
    const pauses = starts.slice(0, 9).map((start, i) => (start - (exits[i] ?? 0)) / 1000);
    assert.deepEqual(pauses, [0, 10, 20, 40, 80, 160, 300, 300, 300]);
  });

  test('back-off is reset after a run of more than 10 minutes', () => {
    const pod = simulate('containers: [{name: a, image: x}]', {
      a: (attempt) => ({ startAfter: 0, exitAfter: attempt === 3 ? 601_000 : 1000, exitCode: 1 }),
    }).run(30 * MINUTE);
    const exits = pod.times('a', 'exited');
    const starts = pod.times('a', 'start').slice(1);
    const pauses = starts.slice(0, 6).map((start, i) => (start - (exits[i] ?? 0)) / 1000);
    assert.deepEqual(pauses, [0, 10, 20, 0, 10, 20]);
  });

  test('a shorter first back-off can be set', () => {
    const pod = simulate(
      'containers: [{name: a, image: x}]',
      { a: { startAfter: 0, exitAfter: 10, exitCode: 1 } },
      { backoffBase: 100 },
    ).run(1000);
    assert.deepEqual(pod.times('a', 'start'), [0, 10, 120, 330, 740]);
  });

  for (const [policy, code, phase, restarts] of [
    ['Never', 0, 'Succeeded', false],
    ['Never', 1, 'Failed', false],
    ['OnFailure', 0, 'Succeeded', false],
    ['OnFailure', 1, 'Running', true],
    ['Always', 0, 'Running', true],
    ['Always', 1, 'Running', true],
  ] as const) {
    test(`restartPolicy ${policy} and exit ${code}: ${phase}`, () => {
      const pod = simulate(`containers: [{name: a, image: x}]\nrestartPolicy: ${policy}`, {
        a: { exitAfter: 100, exitCode: code },
      }).run(MINUTE);
      assert.equal(pod.machine.phase, phase);
      assert.equal(pod.times('a', 'start').length > 1, restarts);
    });
  }

  test('an init container that fails is run again, or fails the Pod if the policy is Never', () => {
    const spec = 'initContainers: [{name: i, image: x}]\ncontainers: [{name: a, image: x}]';
    const during = simulate(spec, { i: () => ({ exitAfter: 10_000 }) }).run(5000);
    const [i] = during.machine.containers;
    assert.deepEqual([i?.phase, i?.started, i?.ready], ['running', true, false]);
    const fails = { i: (attempt: number) => ({ exitAfter: 10, exitCode: attempt < 2 ? 1 : 0 }) };
    const again = simulate(spec, fails).run(MINUTE);
    assert.equal(again.times('i', 'start').length, 3);
    assert.equal(again.machine.phase, 'Running');
    const never = simulate(`${spec}\nrestartPolicy: Never`, fails).run(MINUTE);
    assert.equal(never.machine.phase, 'Failed');
    assert.ok(!never.order.includes('a start'));
    const end = never.machine.containers.at(-1)?.current;
    assert.deepEqual([end?.exitCode, end?.reason], [137, 'ContainerStatusUnknown']);
  });

  test('a container in back-off is waiting with CrashLoopBackOff and shows how it ended', () => {
    const pod = simulate('containers: [{name: a, image: x}]', {
      a: { exitAfter: 10, exitCode: 3 },
    }).run(5000);
    const [a] = pod.machine.containers;
    assert.equal(a?.reason, 'CrashLoopBackOff');
    assert.match(a?.message ?? '', /^back-off 10s restarting failed container/);
    assert.equal(a?.last?.exitCode, 3);
    assert.equal(a?.runs, 2);
  });

  test('a Job fails at its back-off limit', () => {
    const pod = simulate(
      'containers: [{name: a, image: x}]\nrestartPolicy: OnFailure',
      { a: { exitAfter: 10, exitCode: 1 } },
      { backoffLimit: 2, backoffBase: 100 },
    ).run(MINUTE);
    assert.equal(pod.machine.phase, 'Failed');
    assert.equal(pod.machine.failure?.reason, 'BackoffLimitExceeded');
    assert.equal(pod.times('a', 'started').length, 3);
  });
});

describe('probes', () => {
  const probed = (name: string, more = '') =>
    `containers: [{name: a, image: x, ${name}: {tcpSocket: {port: 1}, periodSeconds: 2, failureThreshold: 3${more}}}]`;

  test('a liveness probe that fails often enough restarts the container', () => {
    const pod = simulate(probed('livenessProbe'), {
      a: (attempt) => ({ probe: () => attempt > 0 }),
    }).run(MINUTE);
    const [, second] = pod.times('a', 'start');
    assert.equal(pod.time('a', 'SIGTERM') - pod.time('a', 'started'), 6001);
    assert.ok(second !== undefined);
    assert.ok(pod.notes.includes('a Killing'));
    assert.equal(pod.machine.phase, 'Running');
  });

  test('with OnFailure, what failed its liveness probe is restarted though it exits with 0', () => {
    const pod = simulate(`${probed('livenessProbe')}\nrestartPolicy: OnFailure`, {
      a: (attempt) => ({ probe: () => attempt > 0, termCode: 0 }),
    }).run(MINUTE);
    assert.equal(pod.times('a', 'started').length, 2);
  });

  test('with Never, what failed its liveness probe is not restarted', () => {
    const pod = simulate(`${probed('livenessProbe')}\nrestartPolicy: Never`, {
      a: { probe: () => false, termCode: 143 },
    }).run(MINUTE);
    assert.equal(pod.times('a', 'started').length, 1);
    assert.equal(pod.machine.phase, 'Failed');
  });

  test('the grace period of a probe comes before that of the Pod', () => {
    const pod = simulate(probed('livenessProbe', ', terminationGracePeriodSeconds: 4'), {
      a: { probe: () => false, termAfter: Number.POSITIVE_INFINITY },
    }).run(20_000);
    assert.equal(pod.time('a', 'SIGKILL') - pod.time('a', 'SIGTERM'), 4000);
  });

  test('startup holds liveness and readiness back, and too many failures restart', () => {
    const pod = simulate(
      'containers: [{name: a, image: x, startupProbe: {tcpSocket: {port: 1}, periodSeconds: 1, failureThreshold: 2}, livenessProbe: {tcpSocket: {port: 2}, periodSeconds: 1}, readinessProbe: {tcpSocket: {port: 2}}}]',
      { a: (attempt) => ({ probe: (kind) => kind !== 'startup' || attempt > 0 }) },
    ).run(MINUTE);
    assert.equal(pod.time('a', 'SIGTERM') - pod.time('a', 'started'), 2001);
    const probed = pod.actions.flatMap(({ action }) =>
      action.type === 'probe' && action.attempt === 0 ? [action.probe] : [],
    );
    assert.deepEqual([...new Set(probed)], ['startup']);
    assert.ok(pod.machine.ready);
  });

  test('early tries of a startup probe count for nothing', () => {
    const pod = simulate(
      probed('startupProbe').replace('failureThreshold: 3', 'failureThreshold: 1'),
      {
        a: { probe: (_, since) => since > 1500 },
      },
    ).run(MINUTE);
    assert.equal(pod.times('a', 'started').length, 1);
    assert.ok(pod.machine.ready);
    assert.ok(!pod.notes.includes('a Unhealthy'));
  });

  test('readiness comes and goes with its thresholds', () => {
    const readyAt: number[] = [];
    const pod = simulate(probed('readinessProbe', ', successThreshold: 2'), {
      a: { probe: (_, since) => since < 10_000 || since > 30_000 },
    });
    let before = false;
    for (let at = 0; at <= 60_000; at += 100) {
      pod.run(at);
      if (pod.machine.ready !== before) readyAt.push(at);
      before = pod.machine.ready;
    }
    assert.equal(readyAt.length, 3);
    const [first = 0, lost = 0, again = 0] = readyAt;
    assert.ok(first >= 2000 && first <= 2300, `ready at the second success: ${first}`);
    assert.ok(lost >= 14_000 && lost <= 16_500, `unready after three failures: ${lost}`);
    assert.ok(again >= 32_000 && again <= 34_500, `ready after two successes: ${again}`);
    assert.equal(pod.times('a', 'started').length, 1);
  });

  test('nothing is probed before the initial delay', () => {
    const pod = simulate(probed('livenessProbe', ', initialDelaySeconds: 7')).run(MINUTE);
    const first = pod.actions.find(({ action }) => action.type === 'probe');
    assert.ok((first?.at ?? 0) - pod.time('a', 'started') >= 7000);
  });

  test("a sidecar's readiness counts for the Pod", () => {
    const pod = simulate(
      'initContainers: [{name: s, image: x, restartPolicy: Always, readinessProbe: {tcpSocket: {port: 1}}}]\ncontainers: [{name: a, image: x}]',
      { s: { probe: () => false } },
    ).run(MINUTE);
    assert.equal(pod.machine.phase, 'Running');
    assert.ok(!pod.machine.ready);
  });
});

describe('termination', () => {
  const sidecars = `
initContainers:
- {name: s1, image: x, restartPolicy: Always}
- {name: s2, image: x, restartPolicy: Always, lifecycle: {preStop: {exec: {command: [x]}}}}
containers:
- {name: a, image: x, lifecycle: {preStop: {sleep: {seconds: 2}}}}
- {name: b, image: x}
terminationGracePeriodSeconds: 10`;

  test('preStop hooks at once; main containers first; then sidecars in reverse order', () => {
    const pod = simulate(sidecars, { a: { hookTakes: 2000 }, b: { termAfter: 3000 } })
      .at(5000, { type: 'terminate' })
      .run(MINUTE);
    assert.equal(pod.time('s2', 'preStop'), 5000);
    assert.equal(pod.time('a', 'preStop'), 5000);
    assert.equal(pod.time('b', 'SIGTERM'), 5000);
    assert.equal(pod.time('a', 'SIGTERM'), 7000);
    assert.equal(pod.time('s2', 'SIGTERM'), pod.time('b', 'exited'));
    assert.equal(pod.time('s1', 'SIGTERM'), pod.time('s2', 'exited'));
    assert.ok(!pod.order.some((line) => line.endsWith('SIGKILL')));
    assert.equal(pod.machine.phase, 'Succeeded');
  });

  test('one grace period for all; at its end everyone gets 2 s from SIGTERM to SIGKILL', () => {
    const deaf = { termAfter: Number.POSITIVE_INFINITY };
    const pod = simulate(sidecars, {
      a: { ...deaf, hookTakes: 20_000 },
      b: deaf,
      s1: deaf,
      s2: deaf,
    })
      .at(5000, { type: 'terminate' })
      .run(MINUTE);
    assert.equal(pod.time('b', 'SIGKILL'), 15_000);
    for (const name of ['a', 's1', 's2']) {
      assert.equal(pod.time(name, 'SIGTERM'), 15_000, name);
      assert.equal(pod.time(name, 'SIGKILL'), 17_000, name);
    }
    assert.equal(pod.machine.phase, 'Failed');
  });

  test('a shorter grace period of the request counts, also when it comes second', () => {
    const deaf = { termAfter: Number.POSITIVE_INFINITY };
    const pod = simulate('containers: [{name: a, image: x}]', { a: deaf })
      .at(1000, { type: 'terminate' })
      .at(3000, { type: 'terminate', gracePeriodSeconds: 4 })
      .run(MINUTE);
    assert.equal(pod.time('a', 'SIGKILL'), 7000);
  });

  test('a Pod can be ended while its init container runs, and fails', () => {
    const pod = simulate(
      'initContainers: [{name: s, image: x, restartPolicy: Always}, {name: i, image: x}]\ncontainers: [{name: a, image: x}]',
    )
      .at(2000, { type: 'terminate' })
      .run(MINUTE);
    assert.ok(pod.machine.ended);
    assert.equal(pod.machine.phase, 'Failed');
    assert.ok(!pod.order.includes('a start'));
    assert.ok(pod.time('i', 'exited') <= pod.time('pod', 'ended'));
  });

  test('a Pod can be ended while a container starts', () => {
    const pod = simulate('containers: [{name: a, image: x}]', { a: { startAfter: 5000 } })
      .at(1000, { type: 'terminate' })
      .run(MINUTE);
    assert.equal(pod.time('a', 'SIGTERM'), 5000);
    assert.ok(pod.machine.ended);
  });

  test('when the main containers of a Job are done its sidecars are stopped, and do not fail it', () => {
    const pod = simulate(
      'initContainers: [{name: s, image: x, restartPolicy: Always}]\ncontainers: [{name: a, image: x}]\nrestartPolicy: Never',
      { a: { exitAfter: 1000 }, s: { termCode: 143 } },
    ).run(MINUTE);
    assert.equal(pod.time('s', 'SIGTERM'), pod.time('a', 'exited'));
    assert.equal(pod.machine.phase, 'Succeeded');
  });

  test('the deadline of a Pod fails it', () => {
    const pod = simulate('containers: [{name: a, image: x}]\nactiveDeadlineSeconds: 5').run(MINUTE);
    assert.equal(pod.time('a', 'SIGTERM'), 5000);
    assert.equal(pod.machine.phase, 'Failed');
    assert.equal(pod.machine.failure?.reason, 'DeadlineExceeded');
  });

  test('a deadline that is set or lowered while the Pod runs counts from its begin', () => {
    const pod = simulate('containers: [{name: a, image: x}]\nactiveDeadlineSeconds: 50')
      .at(3000, { type: 'deadline', activeDeadlineSeconds: 5 })
      .run(MINUTE);
    assert.equal(pod.time('a', 'SIGTERM'), 5000);
    const late = simulate('containers: [{name: a, image: x}]')
      .at(9000, { type: 'deadline', activeDeadlineSeconds: 5 })
      .run(MINUTE);
    assert.equal(late.time('a', 'SIGTERM'), 9000);
  });

  test('a postStart that fails stops the container, which then restarts', () => {
    const pod = simulate(
      'containers: [{name: a, image: x, lifecycle: {postStart: {exec: {command: [x]}}}}]',
      { a: (attempt) => ({ hookOk: attempt > 0, termCode: 143 }) },
    ).run(MINUTE);
    assert.ok(pod.notes.includes('a FailedPostStartHook'));
    assert.equal(pod.times('a', 'started').length, 2);
    assert.ok(pod.machine.ready);
  });
});

describe('sandbox', () => {
  const spec = `
terminationGracePeriodSeconds: 5
initContainers: [{name: i, image: x}, {name: s, image: x, restartPolicy: Always}]
containers: [{name: a, image: x}]`;

  test('a lost sandbox is created again, and all containers with it, init containers included', () => {
    const pod = simulate(spec, { i: { exitAfter: 10 } })
      .at(10_000, { type: 'sandboxLost' })
      .run(MINUTE);
    assert.deepEqual(pod.order.slice(pod.order.indexOf('pod sandbox')), [
      ...['pod sandbox', 'i start', 'i started', 'i exited', 's start', 's started'],
      ...['a start', 'a started'],
    ]);
    assert.ok(pod.notes.includes('SandboxChanged'));
    assert.ok(pod.machine.ready);
    assert.equal(pod.machine.containers.find(({ spec: { name } }) => name === 'a')?.runs, 2);
  });

  test('with OnFailure, a main container that has completed does not run again', () => {
    const pod = simulate(
      `
restartPolicy: OnFailure
containers: [{name: a, image: x}, {name: b, image: x}]`,
      {
        a: { exitAfter: 100 },
        b: (attempt) => (attempt === 0 ? { termCode: 143 } : { exitAfter: 100 }),
      },
    )
      .at(5000, { type: 'sandboxLost' })
      .run(MINUTE);
    assert.equal(pod.times('a', 'start').length, 1);
    assert.equal(pod.times('b', 'start').length, 2);
    assert.equal(pod.machine.phase, 'Succeeded');
  });

  test('with Never, the Pod ends with its sandbox', () => {
    const pod = simulate('restartPolicy: Never\ncontainers: [{name: a, image: x}]', {
      a: { termCode: 143 },
    })
      .at(5000, { type: 'sandboxLost' })
      .run(MINUTE);
    assert.equal(pod.machine.phase, 'Failed');
    assert.equal(pod.times('a', 'start').length, 1);
  });
});

describe('eviction', () => {
  const spec = 'terminationGracePeriodSeconds: 20\ncontainers: [{name: a, image: x}]';
  const event = { type: 'evict', message: 'Usage of EmptyDir volume exceeds' } as const;

  test('SIGKILL follows 2 s after SIGTERM whatever the grace period, and the Pod is Failed', () => {
    const pod = simulate(spec, { a: { termAfter: Number.POSITIVE_INFINITY } })
      .at(5000, event)
      .run(MINUTE);
    assert.equal(pod.time('a', 'SIGKILL') - pod.time('a', 'SIGTERM'), 2000);
    assert.deepEqual([pod.machine.phase, pod.machine.failure?.reason], ['Failed', 'Evicted']);
  });

  test('if all containers exit with 0, the Pod is Succeeded without a reason', () => {
    const pod = simulate(spec).at(5000, event).run(MINUTE);
    assert.deepEqual([pod.machine.phase, pod.machine.failure], ['Succeeded', undefined]);
    assert.ok(pod.notes.includes('Evicted'));
  });
});

describe('errors of probes', () => {
  test('an error gives no verdict: no restart, and readiness stays', () => {
    const pod = simulate(
      `
containers:
- name: a
  image: x
  livenessProbe: {exec: {command: [x]}, periodSeconds: 1, failureThreshold: 1}
  readinessProbe: {exec: {command: [x]}, periodSeconds: 1, failureThreshold: 1}`,
      { a: { probe: (_, since) => (since < 5000 ? true : 'error') } },
    ).run(MINUTE);
    assert.equal(pod.machine.containers[0]?.runs, 1);
    assert.ok(pod.machine.ready);
  });

  test('a probe that takes longer than its period counts its failures', () => {
    const pod = simulate(
      `
containers:
- name: a
  image: x
  startupProbe: {exec: {command: [x]}, periodSeconds: 1, failureThreshold: 3}`,
      { a: { probe: () => false, probeTakes: 1200 } },
    ).run(20_000);
    assert.ok((pod.machine.containers[0]?.runs ?? 0) > 1, 'it was restarted');
  });
});
