import assert from 'node:assert/strict';
import { test } from 'node:test';
import { apply, assertOrder, lifecycle, orderOf, timeOf } from './lifecycle-pod.ts';

lifecycle('the start of a Pod', () => {
  test('init containers run one after another, then the main containers', async () => {
    await using pod = await apply(
      'lc-init-order',
      `
restartPolicy: Never
initContainers:
- {name: i1, run: "i1 exit=300,0"}
- {name: i2, run: "i2 exit=0,0"}
containers:
- {name: a, run: "a exit=500,0"}
- {name: b, run: "b exit=500,0"}`,
    );
    assert.equal((await pod.ended()).status.phase, 'Succeeded');
    const timeline = await pod.timeline();
    assertOrder(timeline, [
      'i1 starts',
      'i1 exits with 0',
      'i2 starts',
      'i2 exits with 0',
      'a starts',
    ]);
    assert.ok(timeOf(timeline, 'i2 exits with 0') < timeOf(timeline, 'b starts'));
  });

  test('two sidecars and an init container start in their order, and stay', async () => {
    await using pod = await apply(
      'lc-sidecars',
      `
restartPolicy: Never
initContainers:
- {name: s1, restartPolicy: Always, run: s1}
- {name: i, run: "i exit=200,0"}
- {name: s2, restartPolicy: Always, run: s2}
containers:
- {name: main, run: "main exit=1500,0"}`,
    );
    const { status } = await pod.ended();
    assert.equal(status.phase, 'Succeeded');
    const timeline = await pod.timeline();
    assertOrder(timeline, [
      ...['s1 starts', 'i starts', 'i exits with 0', 'main starts', 'main exits with 0'],
      ...['s2 gets SIGTERM', 's2 exits with 0', 's1 gets SIGTERM', 's1 exits with 0'],
    ]);
    // The engine says that s2 is started before its program has written its first line.
    assert.ok(timeOf(timeline, 's2 starts') > timeOf(timeline, 'i exits with 0'));
  });

  test('a sidecar whose startup probe fails twice holds the main container until it passes', async () => {
    await using pod = await apply(
      'lc-sidecar-startup',
      `
restartPolicy: Never
initContainers:
- name: s
  restartPolicy: Always
  run: s http=8080 ready-after=1500
  startupProbe: {httpGet: {port: 8080}, periodSeconds: 1, failureThreshold: 20}
containers:
- {name: main, run: "main exit=100,0"}`,
    );
    const { status } = await pod.ended();
    assert.equal(status.phase, 'Succeeded');
    const timeline = await pod.timeline();
    assert.ok(timeOf(timeline, 'main starts') - timeOf(timeline, 's starts') >= 1450);
    assert.equal(status.initContainerStatuses?.[0]?.restartCount, 0);
  });

  test("a sidecar's postStart hook is done before the next container starts", async () => {
    await using pod = await apply(
      'lc-sidecar-poststart',
      `
restartPolicy: Never
initContainers:
- {name: s, restartPolicy: Always, run: s, lifecycle: {postStart: {run: hook s-hook 1000}}}
containers:
- {name: main, run: "main exit=100,0"}`,
    );
    await pod.ended();
    assertOrder(await pod.timeline(), ['s-hook begins', 's-hook ends', 'main starts']);
  });

  test("a main container's postStart hook is done before the next one starts", async () => {
    await using pod = await apply(
      'lc-main-poststart',
      `
containers:
- {name: a, run: a, lifecycle: {postStart: {run: hook a-hook 1000}}}
- {name: b, run: b}`,
    );
    await pod.end();
    assertOrder(await pod.timeline(), ['a starts', 'a-hook ends', 'b starts']);
  });

  test('a sidecar that crashes is restarted while an init container runs, and delays nothing', async () => {
    await using pod = await apply(
      'lc-sidecar-crash',
      `
restartPolicy: Never
initContainers:
- {name: s, restartPolicy: Always, run: "s fail-runs=1,3"}
- {name: i, run: "i exit-at=s,2"}
containers:
- {name: main, run: "main exit=100,0"}`,
    );
    const { status } = await pod.ended();
    assert.equal(status.phase, 'Succeeded');
    assert.equal(status.initContainerStatuses?.[0]?.restartCount, 1);
    const timeline = await pod.timeline();
    assertOrder(timeline, [
      's starts',
      's exits with 3',
      's starts',
      'i exits with 0',
      'main starts',
    ]);
  });

  test('nothing of the main containers starts if an init container fails for good', async () => {
    await using pod = await apply(
      'lc-init-fails',
      `
restartPolicy: Never
initContainers:
- {name: s, restartPolicy: Always, run: s}
- {name: i, run: "i exit=100,7"}
containers:
- {name: main, run: "main exit=100,0"}`,
    );
    const { status } = await pod.ended();
    assert.equal(status.phase, 'Failed');
    const failed = status.initContainerStatuses?.find(({ name }) => name === 'i');
    assert.deepEqual(failed?.state.terminated?.exitCode, 7);
    assert.ok(!orderOf(await pod.timeline()).includes('main starts'));
  });
});
