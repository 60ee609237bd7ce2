import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isReady, type PodStatus } from '../engine/engine.ts';
import { type AppliedPod, apply, assertOrder, lifecycle } from './lifecycle-pod.ts';

const restarted = ({ status }: PodStatus) =>
  (status.containerStatuses?.[0]?.restartCount ?? 0) >= 1;

const isMainReady = ({ status }: PodStatus) => status.containerStatuses?.[0]?.ready === true;

/** Creates a file that a probe's endpoint depends on. */
async function write({ session, name }: AppliedPod, container: string, path: string) {
  const argv = ['/nodejs/bin/node', '-e', `fs.writeFileSync('${path}', '')`];
  assert.equal((await session.exec(name, container, argv)).code, 0);
}

lifecycle('probes', () => {
  test('a liveness probe that fails restarts the container, with its SIGTERM', async () => {
    await using pod = await apply(
      'lc-liveness',
      `
containers:
- name: main
  run: main http=8080 ready-unless=/state/closed
  startupProbe: {httpGet: {port: 8080}, timeoutSeconds: 30, periodSeconds: 1, failureThreshold: 60}
  livenessProbe: {httpGet: {port: 8080}, timeoutSeconds: 30, periodSeconds: 1, failureThreshold: 2}`,
    );
    const { status } = await pod.ready();
    assert.equal(status.containerStatuses?.[0]?.restartCount, 0);
    await write(pod, 'main', '/state/closed');
    await pod.when('was restarted', restarted);
    const timeline = await pod.settled('main starts', 2);
    assertOrder(timeline, ['main starts', 'main gets SIGTERM', 'main exits with 0', 'main starts']);
  });

  test('under OnFailure, what failed its liveness probe is restarted though it exits with 0', async () => {
    await using pod = await apply(
      'lc-liveness-onfailure',
      `
restartPolicy: OnFailure
containers:
- name: main
  run: main
  livenessProbe: {run: probe live fail=1, periodSeconds: 1, failureThreshold: 1}`,
    );
    const { status } = await pod.when('was restarted', restarted);
    assert.equal(status.containerStatuses?.[0]?.lastState.terminated?.exitCode, 0);
  });

  test('under Never, what failed its liveness probe ends the Pod', async () => {
    await using pod = await apply(
      'lc-liveness-never',
      `
restartPolicy: Never
containers:
- name: main
  run: main
  livenessProbe: {run: probe live fail=99, periodSeconds: 1, failureThreshold: 1}`,
    );
    const { status } = await pod.ended();
    assert.equal(status.containerStatuses?.[0]?.restartCount, 0);
    assert.equal(status.containerStatuses?.[0]?.state.terminated?.exitCode, 0);
    assert.equal(status.phase, 'Succeeded');
  });

  test('readiness comes and goes without a restart', async () => {
    await using pod = await apply(
      'lc-readiness',
      `
containers:
- name: main
  run: main http=8080 ready-after=1000 ready-unless=/state/closed
  readinessProbe: {httpGet: {port: 8080}, timeoutSeconds: 30, periodSeconds: 1, failureThreshold: 1}`,
    );
    await pod.ready();
    await write(pod, 'main', '/state/closed');
    const { status } = await pod.when('is not ready any more', (now) => !isReady(now));
    assert.equal(status.phase, 'Running');
    assert.equal(status.containerStatuses?.[0]?.ready, false);
    assert.equal(status.containerStatuses?.[0]?.restartCount, 0);
  });

  test("the Pod is Ready only when its sidecar's readiness probe passes, too", async () => {
    await using pod = await apply(
      'lc-sidecar-readiness',
      `
initContainers:
- name: s
  restartPolicy: Always
  run: s http=8081 ready-if=/state/open
  readinessProbe: {httpGet: {port: 8081}, timeoutSeconds: 30, periodSeconds: 1}
containers:
- {name: main, run: main}`,
    );
    // The main container does not wait for it.
    const { status } = await pod.when('has a main container that is ready', isMainReady);
    assert.equal(status.initContainerStatuses?.[0]?.ready, false);
    assert.ok(!isReady(await pod.session.status(pod.name)));
    await write(pod, 'main', '/state/open');
    await pod.ready();
  });

  test('a startup probe holds liveness back', async () => {
    await using pod = await apply(
      'lc-startup-holds',
      `
containers:
- name: main
  run: main http=8080 ready-after=3500
  startupProbe: {httpGet: {port: 8080}, timeoutSeconds: 30, periodSeconds: 1, failureThreshold: 30}
  livenessProbe: {httpGet: {port: 8080}, timeoutSeconds: 30, periodSeconds: 1, failureThreshold: 1}`,
    );
    const { status } = await pod.ready();
    assert.equal(status.containerStatuses?.[0]?.restartCount, 0);
    assert.equal(status.containerStatuses?.[0]?.started, true);
  });

  test('a startup probe that fails too often restarts the container', async () => {
    await using pod = await apply(
      'lc-startup-fails',
      `
containers:
- name: main
  run: main http=8080 ready-after=999999
  startupProbe: {tcpSocket: {port: 8099}, periodSeconds: 1, failureThreshold: 2}`,
    );
    const { status } = await pod.when('was restarted', restarted);
    assert.notEqual(status.containerStatuses?.[0]?.started, true);
  });
});
