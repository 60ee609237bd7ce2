import assert from 'node:assert/strict';
import { accessSync, constants } from 'node:fs';
import { test } from 'node:test';
import { eventually } from '@sidekit/test-kit';
import { stringify } from 'yaml';
import { lifecyclePod } from './lifecycle-pod.ts';
import { OwnStore } from './own-store.ts';

/** Returns why rootless Podman cannot give Pods a network here; false if it can. */
function obstacle(): string | false {
  const { POD_ENGINE: engine = 'podman' } = process.env;
  if (engine !== 'podman') return 'needs Podman';
  if (process.getuid?.() === 0) return 'needs an ordinary user';
  try {
    accessSync('/dev/net/tun', constants.R_OK | constants.W_OK);
    return false;
  } catch {
    return 'needs access to /dev/net/tun';
  }
}

test('Pods of an ordinary user reach each other by the names of Services', {
  skip: obstacle(),
}, async () => {
  await using store = new OwnStore();
  const service = stringify({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'lc-web' },
    spec: { selector: { app: 'lc-web' }, ports: [{ port: 8080 }] },
  });
  const server = `
containers:
- name: web
  run: web http=8080
  readinessProbe: {httpGet: {port: 8080}, periodSeconds: 1}`;
  // Its first requests may come before the name is in its /etc/hosts.
  const program = `setInterval(() => fetch('http://lc-web:8080').then(({ status }) => {
    console.log('web answers', status);
    process.exit();
  }, ({ cause }) => console.log(String(cause))), 500)`;
  const client = `
restartPolicy: Never
containers:
- name: client
  command: ${JSON.stringify(['/nodejs/bin/node', '-e', program])}`;
  const web = lifecyclePod('lc-web', server, service).replace(
    'name: lc-web\n',
    'name: lc-web\n  labels: {app: lc-web}\n',
  );
  await store.pod('up', store.file('web.yaml', web));
  await store.pod('up', store.file('client.yaml', lifecyclePod('lc-client', client)));
  await eventually(async () => /web answers 200/.test(await store.pod('logs', 'lc-client')), {
    what: 'the client reaches the Service',
    interval: 500,
  });
});

test('a TCP probe of an ordinary user passes only if a program listens', {
  skip: obstacle(),
}, async () => {
  await using store = new OwnStore();
  const spec = `
containers:
- {name: open, run: open http=8080, readinessProbe: {tcpSocket: {port: 8080}, periodSeconds: 1}}
- {name: closed, run: closed, readinessProbe: {tcpSocket: {port: 9}, periodSeconds: 1}}`;
  const file = store.file('tcp.yaml', lifecyclePod('lc-tcp', spec));
  await store.try(['up', file, '--timeout', '1ms']);
  const events = () => store.pod('events', 'lc-tcp');
  await eventually(async () => /closed .*nothing listens on port 9/.test(await events()), {
    what: 'the probe fails',
    interval: 500,
  });
  await eventually(async () => / open +Ready/.test(await events()), {
    what: 'the other one passes',
    interval: 500,
  });
  assert.doesNotMatch(await events(), / closed +Ready/);
});
