import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readWorkload } from '../manifest/workload.ts';
import { advice } from './advice.ts';

const warnings = (spec: string, more = '') =>
  advice(
    readWorkload([
      {
        name: 'x.yaml',
        text: `apiVersion: v1\nkind: Pod\nmetadata: {name: p, labels: {app: p}}\nspec:\n${spec.trim().replace(/^/gm, '  ')}\n${more}`,
      },
    ]),
  );

const service = (targetPort: number) => `---
apiVersion: v1
kind: Service
metadata: {name: s}
spec: {selector: {app: p}, ports: [{port: 80, targetPort: ${targetPort}}]}
`;

test('two containers on one port are warned about, one container with two protocols is not', () => {
  const ports = 'ports: [{containerPort: 80}]';
  assert.match(
    warnings(`containers: [{name: a, image: x, ${ports}}, {name: b, image: x, ${ports}}]`)[0] ?? '',
    /^Pod p: containers a and b both declare port 80\/TCP/,
  );
  const both = 'ports: [{containerPort: 53}, {containerPort: 53, protocol: UDP}]';
  assert.deepEqual(warnings(`containers: [{name: a, image: x, ${both}}]`), []);
});

const PROXY = (listen: string, upstream: string) => `
containers:
- {name: app, image: app:1, ports: [{containerPort: 5000}]}
- {name: proxy, image: "sidekit/ambassador:0.1.0", args: [--listen, "${listen}", "--upstream=${upstream}"]}`;

test('a proxy that is its own upstream, and a Service that leads past a proxy, are warned about', () => {
  assert.match(
    warnings(PROXY(':8080', 'http://localhost:8080'))[0] ?? '',
    /itself as its upstream/,
  );
  const good = PROXY(':8080', 'http://127.0.0.1:5000');
  assert.deepEqual(warnings(good, service(8080)), []);
  assert.match(
    warnings(good, service(5000))[0] ?? '',
    /Service s: port 80 leads past the proxy proxy .* should be 8080/,
  );
  // The component's, of which a note says so.
  const component = good.replace(
    '- {name: proxy,',
    'initContainers:\n- {name: sidekit-ambassador, restartPolicy: Always,',
  );
  assert.deepEqual(warnings(component, service(5000)), []);
  // Another machine may well have the same port.
  assert.deepEqual(warnings(PROXY(':8080', 'http://db:8080')), []);
});

test('volumes that nobody mounts or writes are warned about', () => {
  const mount = (readOnly: boolean) =>
    `containers: [{name: a, image: x, volumeMounts: [{name: v, mountPath: /v, readOnly: ${readOnly}}]}]\nvolumes: [{name: v, emptyDir: {}}]`;
  assert.match(warnings(mount(true))[0] ?? '', /emptyDir v is mounted read-only/);
  assert.deepEqual(warnings(mount(false)), []);
  assert.match(
    warnings('containers: [{name: a, image: x}]\nvolumes: [{name: v, emptyDir: {}}]')[0] ?? '',
    /volume v is mounted by no container/,
  );
  // An init container writes it, or is the only one that needs it.
  const init = (more: string) =>
    `initContainers: [{name: i, image: x, volumeMounts: [{name: v, mountPath: /v}]}]\ncontainers: [{name: a, image: x${more}}]\nvolumes: [{name: v, emptyDir: {}}]`;
  assert.deepEqual(
    warnings(init(', volumeMounts: [{name: v, mountPath: /v, readOnly: true}]')),
    [],
  );
  assert.deepEqual(warnings(init('')), []);
});

test('none of our own manifests is warned about', () => {
  for (const path of globSync('../../../../manifests/pods/*.yaml', { cwd: import.meta.dirname })) {
    const name = join(import.meta.dirname, path);
    const text = readFileSync(name, 'utf8');
    assert.deepEqual(advice(readWorkload([{ name, text }])), [], name);
  }
});

test('an adapter whose files are in none of its volumes is warned about', () => {
  const adapter = (path: string, glob = '/logs/*.log') => `
containers:
- {name: app, image: app, volumeMounts: [{name: logs, mountPath: /logs}]}
- {name: adapter, image: sidekit/adapter, args: [--include, "${glob}"], volumeMounts: [{name: logs, mountPath: ${path}}]}
volumes: [{name: logs, emptyDir: {}}]`;
  assert.deepEqual(warnings(adapter('/logs')), []);
  assert.deepEqual(warnings(adapter('/logs/web', '/logs/*/access.log')), []);
  assert.match(warnings(adapter('/log'))[0] ?? '', /reads \/logs\/\*\.log, which is in none/);
});

test('an upstream port that nothing else in the Pod has is warned about', () => {
  const pod = (app: string, upstream = 'http://127.0.0.1:3000', more = '') =>
    warnings(
      `
containers:
- {name: app, image: "app:1", ${app}}
- {name: proxy, image: sidekit/ambassador, env: [{name: AMBASSADOR_UPSTREAM, value: "${upstream}"}], args: [--listen, ":8080"]}
volumes: [{name: code, configMap: {name: code}}]`,
      `---
apiVersion: v1
kind: ConfigMap
metadata: {name: code}
data: {server.mjs: "createServer(answer).listen(${more || 1})"}
`,
    ).filter((line) => line.includes('upstream'));
  assert.match(
    pod('ports: [{containerPort: 13000}]')[0] ?? '',
    /^Pod p: the upstream of container proxy is port 3000, which no other container declares or names: correct it, or declare it as a containerPort/,
  );
  assert.equal(pod('args: ["--port=30000"]', 'http://127.0.0.1:1,http://[::1]:2').length, 2);
  for (const app of [
    'ports: [{containerPort: 3000}]',
    'args: ["--listen=127.0.0.1:3000"]',
    'env: [{name: PORT, value: "3000"}]',
    'readinessProbe: {tcpSocket: {port: 3000}}',
  ])
    assert.deepEqual(pod(app), [], app);
  const mount = 'volumeMounts: [{name: code, mountPath: /app}]';
  assert.deepEqual(pod(mount, undefined, '3000'), []);
  assert.equal(pod(mount).length, 1);
  assert.deepEqual(pod('args: []', 'http://db:3000'), [], 'it is on another machine');
});

test('settings of ConfigMaps and references to variables are read as the container gets them', () => {
  const found = warnings(
    `
containers:
- {name: app, image: "app:1", ports: [{containerPort: 8080}]}
- {name: one, image: sidekit/ambassador, envFrom: [{configMapRef: {name: settings}}]}
- name: two
  image: sidekit/ambassador
  env:
  - {name: WHERE, valueFrom: {configMapKeyRef: {name: settings, key: AMBASSADOR_LISTEN}}}
  args: [--listen=$(WHERE), --upstream, "http://127.0.0.1$(WHERE)"]
- {name: logs, image: sidekit/adapter, envFrom: [{prefix: ADAPTER_, configMapRef: {name: logs}}]}`,
    `---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {AMBASSADOR_LISTEN: ":8080", AMBASSADOR_UPSTREAM: "http://localhost:8080"}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: logs}
data: {INCLUDE: "/logs/a.log, /logs/b.log"}
`,
  );
  assert.deepEqual(found, [
    'Pod p: container one has itself as its upstream (port 8080)',
    'Pod p: container two has itself as its upstream (port 8080)',
    'Pod p: container logs reads /logs/a.log, which is in none of its volumeMounts',
    'Pod p: container logs reads /logs/b.log, which is in none of its volumeMounts',
  ]);
});
