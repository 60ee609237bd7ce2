import assert from 'node:assert/strict';
import { test } from 'node:test';
import { podOf } from '../lifecycle/testing/simulation.ts';
import type { ContainerConfig } from './container-config.ts';
import { dockerBody } from './docker-body.ts';
import { environmentOf } from './environment.ts';
import { podContainer } from './pod-container.ts';
import { podmanBody } from './podman-body.ts';

const NO_DATA = { configMaps: {}, secrets: {} };
const IMAGE = { id: 'i', user: '65532:65532', stopSignal: 'SIGTERM' };

function config(spec: string, engine: 'docker' | 'podman' = 'podman') {
  const pod = podOf(spec);
  const container = pod.spec.containers[0];
  assert.ok(container);
  const context = { pod, uid: 'u', podIP: '10.0.0.1' };
  return podContainer(
    { engine, pod, sandbox: { id: 'abc', name: 'pod-test' }, labels: { l: '1' } },
    container,
    {
      attempt: 2,
      image: IMAGE,
      environment: environmentOf(container, context, NO_DATA),
      mounts: [{ source: '/s:o,u', target: '/t', readOnly: true }],
    },
  );
}

/** Compares the fields that are expected, and only these. */
function includes(actual: object, expected: Readonly<Record<string, unknown>>) {
  const all = actual as Record<string, unknown>;
  const found = Object.fromEntries(Object.keys(expected).map((key) => [key, all[key]]));
  assert.deepEqual(found, expected);
}

test('command and args replace entry point and arguments, with variables filled in', () => {
  const { entrypoint, args } = config(
    'containers: [{name: a, image: x, command: [run, $(A)], args: ["$$(A)", $(B)], env: [{name: A, value: "1"}]}]',
  );
  assert.deepEqual(
    [entrypoint, args],
    [
      ['run', '1'],
      ['$(A)', '$(B)'],
    ],
  );
});

test('without a command the entry point of the image is kept, without args its arguments too', () => {
  const { entrypoint, args } = config('containers: [{name: a, image: x, args: [b]}]');
  assert.deepEqual([entrypoint, args], [undefined, ['b']]);
  assert.equal(config('containers: [{name: a, image: x}]').args, undefined);
  assert.deepEqual(config('containers: [{name: a, image: x, command: [b]}]').args, []);
});

test('a variable may refer only to those before it', () => {
  const { environment } = config(
    'containers: [{name: a, image: x, env: [{name: B, value: $(A)}, {name: A, value: "1"}, {name: C, value: "$(A)-$(IP)"}, {name: IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}]}]',
  );
  assert.deepEqual(Object.fromEntries(environment), {
    B: '$(A)',
    A: '1',
    C: '1-$(IP)',
    IP: '10.0.0.1',
  });
});

const SECURE = `
securityContext: {runAsUser: 1, runAsGroup: 2, fsGroup: 3, supplementalGroups: [4], seccompProfile: {type: Unconfined}}
containers:
- name: a
  image: x
  workingDir: /w
  resources: {limits: {cpu: 500m, memory: 64Mi}, requests: {cpu: 250m}}
  securityContext: {readOnlyRootFilesystem: true, allowPrivilegeEscalation: false, runAsUser: 9, capabilities: {drop: [ALL], add: [NET_BIND_SERVICE]}}`;

test("security, resources and mounts reach Podman's API", () => {
  const body = podmanBody(config(SECURE), []);
  includes(body, {
    name: 'pod-test-a-2',
    user: '9:2',
    groups: ['4', '3'],
    // Podman would make an added one ambient for another user than root; Kubernetes does not.
    cap_add: [],
    read_only_filesystem: true,
    no_new_privileges: true,
    seccomp_profile_path: 'unconfined',
    httpproxy: false,
    work_dir: '/w',
    create_working_dir: true,
    resource_limits: {
      memory: { limit: 67_108_864, swap: 67_108_864 },
      cpu: { quota: 50_000, period: 100_000, shares: 256 },
    },
    mounts: [
      { type: 'bind', source: '/s:o,u', destination: '/t', options: ['ro', 'rbind', 'rprivate'] },
    ],
    netns: { nsmode: 'container', value: 'abc' },
    utsns: { nsmode: 'container', value: 'abc' },
  });
});

test('a sandbox is on a bridge network, also of an ordinary user, unless it has the host network', () => {
  const sandbox = (hostNetwork: boolean): ContainerConfig => ({
    ...config(SECURE),
    namespaces: {
      hostNetwork,
      hostIPC: false,
      hostname: 'h',
      sysctls: {},
      ports: [],
      dns: { servers: [], searches: [], options: [] },
    },
  });
  includes(podmanBody(sandbox(false), []), { netns: { nsmode: 'bridge' } });
  includes(podmanBody(sandbox(true), []), { netns: { nsmode: 'host' } });
});

test("security, resources and mounts reach Docker's API", () => {
  const body = dockerBody(config(SECURE, 'docker')) as { HostConfig: object };
  includes(body, { User: '9:2', WorkingDir: '/w' });
  includes(body.HostConfig, {
    GroupAdd: ['4', '3'],
    CapAdd: ['NET_BIND_SERVICE'],
    CapDrop: ['ALL'],
    ReadonlyRootfs: true,
    SecurityOpt: ['no-new-privileges', 'seccomp=unconfined'],
    Memory: 67_108_864,
    MemorySwap: 67_108_864,
    NanoCpus: 500_000_000,
    CpuShares: 256,
    Mounts: [{ Source: '/s:o,u', Target: '/t', ReadOnly: true, Type: 'bind' }],
    NetworkMode: 'container:abc',
    IpcMode: 'container:abc',
  });
});

test('a group alone goes with the user of the image', () => {
  const spec = 'securityContext: {runAsGroup: 5}\ncontainers: [{name: a, image: x}]';
  assert.equal(config(spec).user, '65532:5');
});

test('an added capability stays in the bounding set of another user than root, and nowhere else', () => {
  const { add, drop } = config(SECURE).capabilities;
  assert.deepEqual(add, []);
  assert.ok(drop.includes('SYS_ADMIN') && drop.includes('CHOWN') && !drop.includes('ALL'));
  assert.ok(!drop.includes('NET_BIND_SERVICE'));
  const without = (capabilities: string) =>
    config(`containers: [{name: a, image: x, securityContext: {capabilities: ${capabilities}}}]`)
      .capabilities;
  assert.deepEqual(without('{drop: [ALL]}'), { add: [], drop: ['ALL'] });
  assert.deepEqual(without('{add: [SYS_TIME], drop: [KILL]}'), { add: [], drop: ['KILL'] });
  // As containerd has it: what is both added and dropped by its name is dropped.
  assert.deepEqual(without('{add: [KILL], drop: [ALL, KILL]}'), { add: [], drop: ['ALL', 'KILL'] });
});

test('root gets the capabilities that are added', () => {
  const spec =
    'containers: [{name: a, image: x, securityContext: {runAsUser: 0, capabilities: {add: [SYS_TIME]}}}]';
  assert.deepEqual(config(spec).capabilities.add, ['SYS_TIME']);
});
