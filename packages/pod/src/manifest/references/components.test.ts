import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readWorkload } from '../workload.ts';

const CONFIG = `apiVersion: v1
kind: ConfigMap
metadata: { name: sidekit-adapter-x1, labels: { sidekit.dev/component: adapter } }
data: { ADAPTER_FORMAT: json }
`;

function pod(initContainers: string, mounts = '', namespace = 'default'): string {
  return `---
apiVersion: v1
kind: Pod
metadata: { name: shop, namespace: ${namespace} }
spec:
  volumes: [{ name: sidekit-logs, emptyDir: {} }]
  initContainers: [${initContainers}]
  containers: [{ name: app, image: app, volumeMounts: [${mounts}] }]
`;
}

const SIDECAR =
  '{ name: sidekit-adapter, image: adapter, restartPolicy: Always, volumeMounts: [{ name: sidekit-logs, mountPath: /logs }] }';
const MOUNT = '{ name: sidekit-logs, mountPath: /var/log }';

const read = (text: string) => readWorkload([{ name: 'x.yaml', text }]);

test('a component that matched no workload is refused with the label to add', () => {
  assert.throws(
    () => read(CONFIG + pod('')),
    /the component did nothing.*sidekit\.dev\/adapter: "true"/s,
  );
});

test('a labelled Pod, which components do not add to, is refused with the kinds that they do', () => {
  const labelled = pod('').replace(
    '{ name: shop,',
    '{ name: shop, labels: { sidekit.dev/adapter: "true" },',
  );
  assert.match(labelled, /labels/);
  assert.throws(
    () => read(CONFIG + labelled),
    /the component did nothing.*a Deployment, StatefulSet, DaemonSet, Job or CronJob/s,
  );
});

test('a component in another namespace than its container is refused with the line to add', () => {
  assert.throws(
    () => read(CONFIG + pod(SIDECAR, MOUNT, 'shop')),
    /must be that of the container sidekit-adapter: shop.*write namespace: shop/s,
  );
});

const PROXY =
  '{ name: sidekit-ambassador, image: x, restartPolicy: Always, ports: [{ name: ambassador, containerPort: 8080 }] }';
const service = (targetPort: string) => `---
apiVersion: v1
kind: Service
metadata: { name: shop }
spec: { selector: { app: shop }, ports: [{ port: 80, targetPort: ${targetPort} }] }
`;

test('a Service that bypasses the ambassador is a note, and one that leads to it is none', () => {
  const text = pod(PROXY).replace('{ name: shop,', '{ name: shop, labels: { app: shop },');
  assert.match(
    read(text + service('3000')).notes.join(),
    /clients bypass it: write targetPort: am/,
  );
  const { notes } = read(`apiVersion: apps/v1
kind: Deployment
metadata: { name: shop }
spec:
  replicas: 2
  selector: { matchLabels: { app: shop } }
  template:
    metadata: { labels: { app: shop } }
    spec: { initContainers: [${PROXY}], containers: [{ name: app, image: app }] }
${service('3000')}`);
  assert.equal(notes.length, 1, 'one for all replicas');
  assert.match(notes.join(), /the ambassador of Deployment shop/);
  for (const port of ['8080', 'ambassador']) assert.deepEqual(read(text + service(port)).notes, []);
});

test('a volume that only the sidecar mounts is a note, and one that the app mounts is none', () => {
  const { notes } = read(CONFIG + pod(SIDECAR));
  assert.match(notes.join('\n'), /volume sidekit-logs is mounted by the adapter alone/);
  assert.deepEqual(read(CONFIG + pod(SIDECAR, MOUNT)).notes, []);
});
