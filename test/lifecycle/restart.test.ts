import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PodStatus } from '../engine/engine.ts';
import { apply, assertOrder, lifecycle, timeOf } from './lifecycle-pod.ts';

lifecycle('restarts', () => {
  for (const [policy, code, phase] of [
    ['Never', 1, 'Failed'],
    ['Never', 0, 'Succeeded'],
    ['OnFailure', 0, 'Succeeded'],
  ] as const) {
    test(`restartPolicy ${policy}: an exit with ${code} ends the Pod as ${phase}`, async () => {
      await using pod = await apply(
        `lc-${policy.toLowerCase()}-${code}`,
        `
restartPolicy: ${policy}
containers:
- {name: main, run: "main exit=100,${code}"}`,
      );
      const { status } = await pod.ended();
      assert.equal(status.phase, phase);
      const [main] = status.containerStatuses ?? [];
      assert.equal(main?.restartCount, 0);
      assert.equal(main?.state.terminated?.exitCode, code);
      assert.equal(main?.state.terminated?.reason, code === 0 ? 'Completed' : 'Error');
    });
  }

  test('restartPolicy OnFailure: the first restart is immediate, the second after 10 s', async () => {
    await using pod = await apply(
      'lc-onfailure',
      `
restartPolicy: OnFailure
containers:
- {name: main, run: "main fail-runs=2,1 exit=100,0"}`,
    );
    const { status } = await pod.ended();
    assert.equal(status.phase, 'Succeeded');
    assert.equal(status.containerStatuses?.[0]?.restartCount, 2);
    const timeline = await pod.timeline();
    const pause = (nth: number) =>
      timeOf(timeline, 'main starts', nth + 1) - timeOf(timeline, 'main exits with 1', nth);
    assert.ok(pause(0) < pause(1), `first pause ${pause(0)} ms, second ${pause(1)} ms`);
    assert.ok(pause(1) >= 9000, `second pause ${pause(1)} ms`);
  });

  test('restartPolicy Always: what exits with 0 is started again, and then waits in CrashLoopBackOff', async () => {
    await using pod = await apply(
      'lc-always',
      `
containers:
- {name: main, run: "main exit=200,0"}
- {name: other, run: other}`,
    );
    const mainOf = ({ status }: PodStatus) =>
      status.containerStatuses?.find(({ name }) => name === 'main');
    const waits = (now: PodStatus) => mainOf(now)?.state.waiting?.reason === 'CrashLoopBackOff';
    const found = await pod.when('waits in CrashLoopBackOff', waits);
    assert.equal(found.status.phase, 'Running');
    assert.ok((mainOf(found)?.restartCount ?? 0) >= 1);
    assert.equal(mainOf(found)?.ready, false);
  });

  test('an init container that fails is run again until it succeeds', async () => {
    await using pod = await apply(
      'lc-init-retry',
      `
restartPolicy: OnFailure
initContainers:
- {name: i, run: "i fail-runs=1,2 exit=0,0"}
containers:
- {name: main, run: "main exit=100,0"}`,
    );
    const { status } = await pod.ended();
    assert.equal(status.phase, 'Succeeded');
    assert.equal(status.initContainerStatuses?.[0]?.restartCount, 1);
    assertOrder(await pod.timeline(), [
      'i exits with 2',
      'i starts',
      'i exits with 0',
      'main starts',
    ]);
  });

  test('a sidecar is restarted whatever the Pod says, also when it exits with 0', async () => {
    await using pod = await apply(
      'lc-sidecar-restart',
      `
restartPolicy: Never
initContainers:
- {name: s, restartPolicy: Always, run: "s fail-runs=1,0"}
containers:
- {name: main, run: "main exit=4000,0"}`,
    );
    const { status } = await pod.ended();
    assert.equal(status.phase, 'Succeeded');
    assert.equal(status.initContainerStatuses?.[0]?.restartCount, 1);
  });

  test('one main container that ends well waits for the others under Never', async () => {
    await using pod = await apply(
      'lc-two-mains',
      `
restartPolicy: Never
containers:
- {name: a, run: "a exit=100,0"}
- {name: b, run: "b exit=2500,5"}`,
    );
    const { status } = await pod.ended();
    assert.equal(status.phase, 'Failed');
    const codes = status.containerStatuses?.map(({ name, state }) => [
      name,
      state.terminated?.exitCode,
    ]);
    assert.deepEqual(codes, [
      ['a', 0],
      ['b', 5],
    ]);
  });
});
