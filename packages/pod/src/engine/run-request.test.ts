import assert from 'node:assert/strict';
import { test } from 'node:test';
import { podOf } from '../lifecycle/testing/simulation.ts';
import { environmentOf } from './environment.ts';
import { runRequest } from './run-request.ts';

const NO_DATA = { configMaps: {}, secrets: {} };
const IMAGE = { id: 'i', user: '65532:65532', stopSignal: 'SIGTERM' };

function request(spec: string, engine: 'docker' | 'podman' = 'podman') {
  const pod = podOf(spec);
  const container = pod.spec.containers[0];
  assert.ok(container);
  const context = { pod, uid: 'u', podIP: '10.0.0.1' };
  return runRequest({ engine, pod, infra: 'pod-test', labels: ['l=1'] }, container, {
    attempt: 2,
    image: IMAGE,
    environment: environmentOf(container, context, NO_DATA),
    mounts: [{ source: '/s', target: '/t', readOnly: true }],
  });
}

test('command and args replace entry point and arguments, with variables filled in', () => {
  const { flags, args } = request(
    'containers: [{name: a, image: x, command: [run, $(A)], args: ["$$(A)", $(B)], env: [{name: A, value: "1"}]}]',
  );
  assert.ok(flags.includes('--entrypoint=run'));
  assert.deepEqual(args, ['1', '$(A)', '$(B)']);
});

test('a variable may refer only to those before it', () => {
  const { environment } = request(
    'containers: [{name: a, image: x, env: [{name: B, value: $(A)}, {name: A, value: "1"}, {name: C, value: "$(A)-$(IP)"}, {name: IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}]}]',
  );
  assert.deepEqual(Object.fromEntries(environment ?? []), {
    B: '$(A)',
    A: '1',
    C: '1-$(IP)',
    IP: '10.0.0.1',
  });
});

test('security, resources and mounts become flags', () => {
  const { flags, name } = request(
    `
securityContext: {runAsUser: 1, runAsGroup: 2, fsGroup: 3, supplementalGroups: [4], seccompProfile: {type: Unconfined}}
containers:
- name: a
  image: x
  resources: {limits: {cpu: 500m, memory: 64Mi}, requests: {cpu: 250m}}
  securityContext: {readOnlyRootFilesystem: true, allowPrivilegeEscalation: false, runAsUser: 9, capabilities: {drop: [ALL], add: [NET_BIND_SERVICE]}}`,
  );
  assert.equal(name, 'pod-test-a-2');
  for (const flag of [
    ...['--user=9:2', '--group-add=3', '--group-add=4', '--cap-drop=ALL', '--read-only'],
    ...['--cap-add=NET_BIND_SERVICE', '--security-opt=no-new-privileges', '--cpus=0.5'],
    ...['--security-opt=seccomp=unconfined', '--memory=67108864', '--memory-swap=67108864'],
    ...['--cpu-shares=256', '--volume=/s:/t:ro', '--network=container:pod-test'],
    ...['--read-only-tmpfs=false', '--uts=container:pod-test', '--ipc=container:pod-test'],
  ]) {
    assert.ok(flags.includes(flag), `${flag} in ${flags.join(' ')}`);
  }
});

test('a group alone goes with the user of the image', () => {
  assert.ok(
    request('securityContext: {runAsGroup: 5}\ncontainers: [{name: a, image: x}]').flags.includes(
      '--user=65532:5',
    ),
  );
});

test('flags that only Podman knows are not passed to Docker', () => {
  const { flags } = request(
    'containers: [{name: a, image: x, securityContext: {readOnlyRootFilesystem: true}}]',
    'docker',
  );
  assert.ok(
    !flags.some((flag) => flag.startsWith('--uts') || flag.startsWith('--read-only-tmpfs')),
  );
});
