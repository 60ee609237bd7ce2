import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '@sidekit/test-kit';
import { stringify } from 'yaml';
import { testEngine } from '../engine/index.ts';
import { apply, lifecycle, lifecyclePod, orderOf } from './lifecycle-pod.ts';

const config = (value: string) =>
  stringify({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'lc-config' },
    data: { greeting: value, other: 'x' },
  });

lifecycle('volumes, environment and users', () => {
  test('a changed ConfigMap reaches the running container through the symlink swap', async () => {
    const spec = `
containers:
- {name: main, run: main watch=/config/greeting, volumeMounts: [{name: config, mountPath: /config}]}
volumes:
- {name: config, configMap: {name: lc-config}}`;
    await using pod = await apply('lc-config-update', spec, config('before'));
    await pod.ready();
    const seen = (value: string) =>
      eventually(async () => orderOf(await pod.timeline()).includes(`main sees ${value}`), {
        what: `main sees ${value}`,
        // The kubelet checks for changes about once a minute.
        timeout: 150_000,
        interval: 500,
      });
    await seen('before');
    await pod.session.reapply(lifecyclePod('lc-config-update', spec, config('after')));
    await seen('after');
    const { status } = await pod.session.status(pod.name);
    assert.equal(status.containerStatuses?.[0]?.restartCount, 0);
  });

  test('environment comes from fields, resources, ConfigMaps, Secrets and other variables', async () => {
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'lc-secret' },
      stringData: { password: 'p w\nd' },
    };
    await using pod = await apply(
      'lc-env',
      `
restartPolicy: Never
containers:
- name: main
  run: "main exit=100,0 say=\${NAME}/\${CPU}/\${PRE_greeting}/\${SUM}/\${PASSWORD}/\${LITERAL}"
  resources: {limits: {cpu: 500m, memory: 128Mi}, requests: {cpu: 10m, memory: 32Mi}}
  envFrom: [{prefix: PRE_, configMapRef: {name: lc-config}}]
  env:
  - {name: NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
  - {name: CPU, valueFrom: {resourceFieldRef: {resource: limits.cpu, divisor: 1m}}}
  - {name: SUM, value: "$(NAME)+$(CPU)"}
  - {name: LITERAL, value: "$$(NAME)$(NOT_THERE)"}
  - {name: PASSWORD, valueFrom: {secretKeyRef: {name: lc-secret, key: password}}}`,
      `${stringify(secret)}---\n${config('hello')}`,
    );
    await pod.ended();
    const said = orderOf(await pod.timeline()).find((line) => line.startsWith('main says'));
    assert.equal(said, 'main says lc-env/500/hello/lc-env+500/p w');
  });

  test('projected volumes hold their sources, with the requested modes and group', async () => {
    await using pod = await apply(
      'lc-projected',
      `
restartPolicy: Never
securityContext: {fsGroup: 4242}
containers:
- {name: main, run: "main exit=100,0 say=@/all/greet/@/all/labels", volumeMounts: [{name: all, mountPath: /all, readOnly: true}]}
volumes:
- name: all
  projected:
    sources:
    - configMap: {name: lc-config, items: [{key: greeting, path: greet}]}
    - downwardAPI: {items: [{path: labels, fieldRef: {fieldPath: metadata.name}}]}`.replace(
        '@/all/greet/@/all/labels',
        '@/all/greet',
      ),
      config('projected'),
    );
    await pod.ended();
    assert.ok(orderOf(await pod.timeline()).includes('main says projected'));
  });

  test('an emptyDir over its limit evicts the Pod, which has failed only if it had to be killed', async (context) => {
    if (!(await testEngine().isolatesStorage())) {
      return context.skip('this kubelet has localStorageCapacityIsolation: false');
    }
    const spec = (run: string) => `
terminationGracePeriodSeconds: 60
containers:
- {name: main, run: "${run}", volumeMounts: [{name: data, mountPath: /data}]}
volumes:
- {name: data, emptyDir: {sizeLimit: 20Mi}}`;
    // One that stops on SIGTERM ends well; one that ignores it is killed 2 s later, whatever the
    // grace period.
    const [good, stubborn] = await Promise.all([
      apply('lc-evicted-good', spec('main fill=/data/file')),
      apply('lc-evicted', spec('main fill=/data/file term=ignore')),
    ]);
    await using _good = good;
    await using _stubborn = stubborn;
    const [succeeded, failed] = await Promise.all([good.ended(120_000), stubborn.ended(120_000)]);
    const reasonOf = ({ status }: typeof failed) => (status as { reason?: string }).reason;
    assert.deepEqual([succeeded.status.phase, reasonOf(succeeded)], ['Succeeded', undefined]);
    assert.deepEqual([failed.status.phase, reasonOf(failed)], ['Failed', 'Evicted']);
    assert.equal(failed.status.containerStatuses?.[0]?.state.terminated?.exitCode, 137);
  });

  test('a container over its ephemeral-storage limit evicts the Pod', async (context) => {
    if (!(await testEngine().isolatesStorage())) {
      return context.skip('this kubelet has localStorageCapacityIsolation: false');
    }
    await using pod = await apply(
      'lc-storage',
      `
terminationGracePeriodSeconds: 60
containers:
- {name: main, run: "main fill=/tmp/file term=ignore", resources: {limits: {ephemeral-storage: 10Mi}}}
- {name: other, run: other, resources: {limits: {ephemeral-storage: 1Gi}}}`,
    );
    const { status } = await pod.ended(120_000);
    const { reason, message } = status as { reason?: string; message?: string };
    assert.deepEqual([status.phase, reason], ['Failed', 'Evicted']);
    assert.match(
      message ?? '',
      /^Container main exceeded its local ephemeral storage limit "10Mi"/,
    );
  });

  test('an emptyDir in memory is shared, and a container that needs too much memory is OOMKilled', async () => {
    await using pod = await apply(
      'lc-memory',
      `
restartPolicy: Never
initContainers:
- {name: i, run: "i exit=0,0 fill=/memory/file", volumeMounts: [{name: memory, mountPath: /memory}]}
containers:
- name: main
  command: [/nodejs/bin/node, -e, "const all = []; for (;;) all.push(Buffer.alloc(1 << 22, 1))"]
  resources: {limits: {memory: 64Mi}}
  volumeMounts: [{name: memory, mountPath: /memory, readOnly: true}]
volumes:
- {name: memory, emptyDir: {medium: Memory, sizeLimit: 16Mi}}`,
    );
    const { status } = await pod.ended();
    assert.equal(status.phase, 'Failed');
    const [main] = status.containerStatuses ?? [];
    assert.deepEqual(
      [main?.state.terminated?.exitCode, main?.state.terminated?.reason],
      [137, 'OOMKilled'],
    );
  });

  test('runAsNonRoot refuses a container that would be root, and the Pod does not start', async () => {
    await using pod = await apply(
      'lc-nonroot',
      `
containers:
- {name: main, run: main, securityContext: {runAsUser: 0, runAsNonRoot: true}}`,
    ).catch((error: Error) => {
      // A cluster whose admission checks it as well refuses the Pod at once.
      assert.match(error.message, /runAsUser=0|runAsNonRoot|restricted/);
      return { [Symbol.asyncDispose]: async () => {}, refused: true as const };
    });
    if ('refused' in pod) return;
    await pod.when(
      'waits with CreateContainerConfigError',
      ({ status }) =>
        status.containerStatuses?.[0]?.state.waiting?.reason === 'CreateContainerConfigError',
    );
    assert.deepEqual(orderOf(await pod.timeline()), []);
  });
});
