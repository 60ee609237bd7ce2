import assert from 'node:assert/strict';
import { test } from 'node:test';
import { podView } from './pod-view.ts';
import { simulatedPod } from './testing/simulated-pod.ts';

const SPEC = `
volumes: [{name: data, emptyDir: {medium: Memory}}]
initContainers:
  - {name: proxy, image: p, restartPolicy: Always, ports: [{name: http, containerPort: 8080}]}
containers:
  - name: app
    image: a
    args: [consumer, --queue, /jobs]
    env: [{name: API_TOKEN, value: hunter2}, {name: MODE, value: fast}]
    volumeMounts: [{name: data, mountPath: /data, readOnly: true}]`;

function view() {
  const { status, events } = simulatedPod({ name: 'shop', spec: SPEC, age: 5000 });
  return podView(status, events, []);
}

test('a Pod is shown with its containers in their roles, its volumes and its queues', () => {
  const { containers, volumes, queues, summary } = view();
  const shown = containers.map(({ name, role, phase }) => [name, role, phase]);
  assert.deepEqual(shown, [
    ['proxy', 'sidecar', 'ready'],
    ['app', 'main', 'ready'],
  ]);
  assert.deepEqual(volumes, [{ name: 'data', kind: 'emptyDir Memory' }]);
  assert.deepEqual(queues, ['/jobs']);
  assert.deepEqual(containers[1]?.mounts, [{ volume: 'data', path: '/data', readOnly: true }]);
  assert.equal(summary, 'Running');
});

test('the manifest leads to the lines of each container', () => {
  const { manifest } = view();
  const lines = manifest.text.split('\n');
  for (const name of ['proxy', 'app']) {
    const [from = 0, to = 0] = manifest.lines[name] ?? [];
    const part = lines.slice(from, to + 1).join('\n');
    assert.match(part, new RegExp(`name: ${name}\\n`));
    assert.doesNotMatch(part, new RegExp(`name: ${name === 'app' ? 'proxy' : 'app'}\\n`));
  }
});

test('a value whose name says that it is secret is not sent to the page', () => {
  const text = JSON.stringify(view());
  assert.doesNotMatch(text, /hunter2/);
  assert.match(text, /fast/);
});
