import assert from 'node:assert/strict';
import { test } from 'node:test';
import { apply, assertOrder, lifecycle, timeOf } from './lifecycle-pod.ts';

lifecycle('the end of a Pod', () => {
  test('main containers get SIGTERM first, then the sidecars in reverse order', async () => {
    await using pod = await apply(
      'lc-end-order',
      `
terminationGracePeriodSeconds: 10
initContainers:
- {name: s1, restartPolicy: Always, run: s1 term=300}
- {name: s2, restartPolicy: Always, run: s2 term=300}
containers:
- {name: a, run: a term=4000}
- {name: b, run: b term=100}`,
    );
    const { status } = await pod.end();
    assert.equal(status.phase, 'Failed');
    const timeline = await pod.timeline();
    assertOrder(timeline, [
      ...['a gets SIGTERM', 'a exits with 0', 's2 gets SIGTERM', 's2 exits with 0'],
      ...['s1 gets SIGTERM', 's1 exits with 0'],
    ]);
    assert.ok(timeOf(timeline, 'b gets SIGTERM') < timeOf(timeline, 'a exits with 0'));
  });

  test('preStop hooks of all begin when the end begins, also those of sidecars', async () => {
    await using pod = await apply(
      'lc-prestop',
      `
terminationGracePeriodSeconds: 60
initContainers:
- {name: s, restartPolicy: Always, run: s, lifecycle: {preStop: {run: hook s-stop 500}}}
containers:
- {name: a, run: a, lifecycle: {preStop: {run: hook a-stop 6000}}}`,
    );
    await pod.end();
    const timeline = await pod.timeline();
    assertOrder(timeline, ['s-stop begins', 'a-stop ends', 'a gets SIGTERM', 's gets SIGTERM']);
    assert.ok(timeOf(timeline, 's-stop begins') < timeOf(timeline, 'a-stop ends'));
  });

  test('a preStop sleep delays SIGTERM', async () => {
    await using pod = await apply(
      'lc-prestop-sleep',
      `
terminationGracePeriodSeconds: 60
containers:
- {name: a, run: a, lifecycle: {preStop: {sleep: {seconds: 6}}}}
- {name: b, run: b}`,
    );
    const before = Date.now();
    await pod.end();
    const timeline = await pod.timeline();
    assert.ok(timeOf(timeline, 'a gets SIGTERM') - before >= 6000);
    assertOrder(timeline, ['b gets SIGTERM', 'a gets SIGTERM']);
  });

  test('a main container that ignores SIGTERM is killed at the end of the grace period', async () => {
    await using pod = await apply(
      'lc-deaf-main',
      `
terminationGracePeriodSeconds: 3
containers:
- {name: a, run: a term=ignore}`,
    );
    const { status } = await pod.end();
    assert.equal(status.phase, 'Failed');
    assert.equal(status.containerStatuses?.[0]?.state.terminated?.exitCode, 137);
    assertOrder(await pod.timeline(), ['a starts', 'a gets SIGTERM']);
  });

  test('a sidecar that ignores SIGTERM does not fail a Pod that is done', async () => {
    await using pod = await apply(
      'lc-deaf-sidecar',
      `
restartPolicy: Never
terminationGracePeriodSeconds: 3
initContainers:
- {name: s, restartPolicy: Always, run: s term=ignore}
containers:
- {name: main, run: "main exit=500,0"}`,
    );
    const { status } = await pod.ended();
    assert.equal(status.phase, 'Succeeded');
    assert.equal(status.initContainerStatuses?.[0]?.state.terminated?.exitCode, 137);
    assertOrder(await pod.timeline(), ['main exits with 0', 's gets SIGTERM']);
  });

  test('sidecars get their SIGTERM even if a main container used the whole grace period', async () => {
    await using pod = await apply(
      'lc-late-sidecar',
      `
terminationGracePeriodSeconds: 3
initContainers:
- {name: s, restartPolicy: Always, run: s term=100}
containers:
- {name: a, run: a term=ignore}`,
    );
    const before = Date.now();
    const { status } = await pod.end();
    assert.equal(status.initContainerStatuses?.[0]?.state.terminated?.exitCode, 0);
    const timeline = await pod.timeline();
    assert.ok(timeOf(timeline, 's gets SIGTERM') - before >= 3000);
    assertOrder(timeline, ['a gets SIGTERM', 's gets SIGTERM']);
  });

  test('a Pod of a Job completes when its main container has, whatever its sidecar exits with', async () => {
    await using pod = await apply(
      'lc-job-sidecar',
      `
restartPolicy: OnFailure
initContainers:
- {name: s, restartPolicy: Always, run: s}
containers:
- {name: work, run: "work exit=1000,0"}`,
    );
    const { status } = await pod.ended();
    assert.equal(status.phase, 'Succeeded');
    assertOrder(await pod.timeline(), ['s starts', 'work exits with 0', 's gets SIGTERM']);
  });

  test('a Pod can be deleted while its init container runs, and leaves nothing', async () => {
    await using pod = await apply(
      'lc-delete-init',
      `
terminationGracePeriodSeconds: 2
initContainers:
- {name: i, run: i}
containers:
- {name: main, run: main}`,
    );
    await pod.when('runs its init container', ({ status }) =>
      Boolean(status.initContainerStatuses?.[0]?.state.running),
    );
    await pod.session.remove(pod.name);
    assert.deepEqual(await pod.session.pods(), []);
  });
});
