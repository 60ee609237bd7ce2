import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { eventually } from '@sidekit/test-kit';
import { parse, stringify } from 'yaml';
import { lifecyclePod } from './lifecycle-pod.ts';
import { leftOf, OwnStore, POD, tracesOf } from './own-store.ts';

// Leftovers of `pod` on this machine; a cluster has none.
const local = process.env.POD_ENGINE === 'kube' ? test.skip : test;

/** A Pod with something of everything that could stay behind. */
const SPEC = `
containers:
- {name: a, run: a http=8080, ports: [{containerPort: 8080}], volumeMounts: [{name: fast, mountPath: /fast}]}
volumes: [{name: fast, emptyDir: {medium: Memory, sizeLimit: 1Mi}}]`;

const service = (name: string) =>
  stringify({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name },
    spec: { selector: { app: name }, ports: [{ port: 8080 }] },
  });

function deployment(name: string, replicas: number): string {
  const [pod = '', toolbox = ''] = lifecyclePod(name, SPEC).split('---\n');
  const { spec } = parse(pod);
  const labels = { app: name };
  const object = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: { replicas, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
  };
  return [stringify(object), toolbox, service(name)].join('---\n');
}

/** Rounds of five Pods. */
const ROUNDS = process.env.SIDEKIT_LONG === '1' ? 10 : 4;

local(`${5 * ROUNDS} Pods up and down leave nothing behind`, async () => {
  await using store = new OwnStore();
  const path = store.file('many.yaml', deployment('lc-many', 5));
  for (let round = 0; round < ROUNDS; round++) {
    await store.pod('up', path, '--timeout', '120s');
    const traces = await tracesOf(store);
    assert.equal(traces.supervisors.length, 5);
    await store.pod('down', '--all');
    assert.deepEqual(await leftOf(traces, store), [], `after round ${round}`);
  }
});

local('a supervisor that was killed is shown, and its Pod is removed by down', async () => {
  await using store = new OwnStore();
  await store.pod('up', store.file('killed.yaml', lifecyclePod('lc-killed', SPEC)));
  const traces = await tracesOf(store);
  process.kill(store.supervisor('lc-killed'), 'SIGKILL');
  await eventually(async () => (await store.pod('ps')).includes('Unsupervised'), {
    what: 'Unsupervised',
  });
  await store.pod('down', 'lc-killed');
  assert.deepEqual(await leftOf(traces, store), []);
});

local('a Pod whose supervisor was killed is replaced by the next up', async () => {
  await using store = new OwnStore();
  const path = store.file('killed.yaml', lifecyclePod('lc-killed', SPEC));
  await store.pod('up', path);
  const traces = await tracesOf(store);
  process.kill(store.supervisor('lc-killed'), 'SIGKILL');
  assert.match(await store.pod('up', path), /^lc-killed: replaced$/m);
  assert.equal((await tracesOf(store)).containers.length, 2);
  await store.pod('down', '--all');
  assert.deepEqual(await leftOf(traces, store), []);
});

local('an up that was killed leaves its Pod to the supervisor, and down removes it', async () => {
  await using store = new OwnStore();
  const up = spawn(POD, ['up', store.file('up.yaml', lifecyclePod('lc-orphan', SPEC))], {
    env: store.env,
    stdio: 'ignore',
  });
  const ended = new Promise((resolve) => up.once('close', resolve));
  await eventually(async () => (await store.pod('ps')).includes('lc-orphan'), {
    what: 'the Pod is known',
  });
  up.kill('SIGKILL');
  await ended;
  await eventually(async () => /lc-orphan +1\/1 +Running/.test(await store.pod('ps')), {
    what: 'the Pod is Ready all the same',
    interval: 200,
  });
  const traces = await tracesOf(store);
  await store.pod('down', 'lc-orphan');
  assert.deepEqual(await leftOf(traces, store), []);
});

local('Ctrl-C before the Pod is Ready ends it and leaves nothing', async () => {
  await using store = new OwnStore();
  const spec = 'containers: [{name: a, run: a, readinessProbe: {tcpSocket: {port: 9}}}]';
  const up = spawn(POD, ['up', store.file('ctrl-c.yaml', lifecyclePod('lc-ctrl-c', spec))], {
    env: store.env,
    stdio: 'ignore',
  });
  const ended = new Promise((resolve) => up.once('close', resolve));
  await eventually(async () => (await store.pod('ps')).includes('Running'), {
    what: 'the Pod runs',
    interval: 200,
  });
  const traces = await tracesOf(store);
  up.kill('SIGINT');
  assert.equal(await ended, 130);
  assert.deepEqual(await leftOf(traces, store), []);
});

local('two ups of one manifest at once make one Pod', async () => {
  await using store = new OwnStore();
  const path = store.file('two.yaml', lifecyclePod('lc-two-ups', SPEC));
  const codes = await Promise.all([1, 2, 3].map(async () => (await store.try(['up', path])).code));
  assert.deepEqual(codes, [0, 0, 0]);
  const traces = await tracesOf(store);
  assert.equal(traces.containers.length, 2, 'the sandbox and its container');
  await store.pod('down', '--all');
  assert.deepEqual(await leftOf(traces, store), []);
});
