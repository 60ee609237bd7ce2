import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Policy } from './findings.ts';
import { ManifestError } from './manifest-error.ts';
import { readWorkload } from './workload.ts';

const pod = (spec: string, name = 'web') =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}}\nspec: {${spec}}\n`;

const CONTAINERS = 'containers: [{name: a, image: x}]';

function read(text: string, policy?: Policy) {
  return readWorkload([{ name: 'm.yaml', text }], policy);
}

function faults(text: string, policy?: Policy): readonly string[] {
  try {
    read(text, policy);
    return [];
  } catch (error) {
    if (error instanceof ManifestError) return error.faults;
    throw error;
  }
}

test('what needs a cluster is noted and skipped, and refused with --strict', () => {
  for (const text of [
    pod(`${CONTAINERS}, affinity: {nodeAffinity: {}}, tolerations: [{operator: Exists}]`),
    pod(`${CONTAINERS}, nodeSelector: {disktype: ssd}, priorityClassName: high`),
    `${pod(CONTAINERS)}---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: s}\n`,
    `${pod(CONTAINERS)}---\napiVersion: monitoring.coreos.com/v1\nkind: ServiceMonitor\nmetadata: {name: s}\n`,
    `${pod(CONTAINERS)}---\napiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: s}\n`,
    pod(`${CONTAINERS}, volumes: [{name: v, persistentVolumeClaim: {claimName: c}}]`),
    pod('containers: [{name: a, image: x, livenessProbe: {httpGet: {port: nowhere}}}]'),
  ]) {
    const { notes, pods } = read(text);
    assert.equal(pods.length, 1);
    assert.ok(notes.length > 0, text);
    assert.ok(
      notes.every((note) => /^note: m\.yaml:\d+:\d+: .*: skipped$/.test(note)),
      notes.join(),
    );
    assert.equal(faults(text, { strict: true }).length, notes.length);
  }
});

test('a misspelled kind is a fault, also in an API group of Kubernetes', () => {
  const route = 'apiVersion: networking.k8s.io/v1\nkind: Ingres\nmetadata: {name: s}\n';
  assert.match(faults(`${pod(CONTAINERS)}---\n${route}`)[0] ?? '', /"Ingres" is not a kind/);
});

test('what changes the containers is refused, and skipped only with --unsupported=warn', () => {
  for (const text of [
    pod('containers: [{name: a, image: x, volumeDevices: [{}]}]'),
    pod(`${CONTAINERS}, automountServiceAccountToken: true`),
    pod(
      `${CONTAINERS}, volumes: [{name: t, projected: {sources: [{serviceAccountToken: {path: t}}]}}]`,
    ),
    pod(`${CONTAINERS}, volumes: [{name: data, nfs: {server: s, path: /}}]`),
    pod('containers: [{name: a, image: x, envFrom: [{configMapRef: {name: elsewhere}}]}]'),
    pod(`${CONTAINERS}, runtimeClassName: gvisor`),
  ]) {
    assert.equal(faults(text).length, 1, text);
    const { notes, pods } = read(text, { unsupported: 'warn' });
    assert.equal(pods.length, 1);
    assert.equal(notes.length, 1, text);
  }
});

test('a volume that is skipped is empty, a reference that is skipped optional', () => {
  const nfs = `${CONTAINERS}, volumes: [{name: data, nfs: {server: s, path: /}}]`;
  const [volume] = read(pod(nfs), { unsupported: 'warn' }).pods[0]?.spec.volumes ?? [];
  assert.deepEqual(volume?.emptyDir, { medium: '', sizeLimit: undefined });
  const from = 'containers: [{name: a, image: x, envFrom: [{configMapRef: {name: elsewhere}}]}]';
  const [container] = read(pod(from), { unsupported: 'warn' }).pods[0]?.spec.containers ?? [];
  assert.equal(container?.envFrom[0]?.configMapRef?.optional, true);
});

test('what reaches the host needs --allow-host, and is listed', () => {
  for (const spec of [
    `${CONTAINERS}, volumes: [{name: h, hostPath: {path: /etc}}]`,
    'containers: [{name: a, image: x, securityContext: {privileged: true}}]',
    'containers: [{name: a, image: x, securityContext: {capabilities: {add: [NET_ADMIN]}}}]',
  ]) {
    assert.match(faults(pod(spec))[0] ?? '', /reaches the host: allow it with --allow-host$/);
    assert.equal(faults(pod(spec), { unsupported: 'warn' }).length, 1);
    assert.equal(read(pod(spec), { allowHost: true }).hostAccess.length, 1);
  }
  const restricted = 'securityContext: {capabilities: {add: [NET_BIND_SERVICE], drop: [ALL]}}';
  assert.deepEqual(faults(pod(`containers: [{name: a, image: x, ${restricted}}]`)), []);
  assert.ok(faults(pod(`${CONTAINERS}, hostPID: true`), { allowHost: true }).length > 0);
});

test('a policy never tolerates a plain fault', () => {
  const text = pod('containers: [{name: A, image: x}]');
  assert.equal(faults(text, { unsupported: 'warn', allowHost: true }).length, 1);
});
