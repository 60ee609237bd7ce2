import assert from 'node:assert/strict';
import { globSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { test } from 'node:test';
import { eventually } from '@sidekit/test-kit';
import { podSecurityFaults } from '../../scripts/support/pod-security/rules.ts';
import { podTemplates } from '../../scripts/support/pod-security/templates.ts';
import { type Session, testEngine } from '../engine/index.ts';
import { kustomize, parse } from './render.ts';

/** Applies manifests/examples/<name>, as `kubectl apply -k` does. */
async function apply(name: string): Promise<Session> {
  mkdirSync('dist/examples', { recursive: true });
  const path = `dist/examples/example-${name}.yaml`;
  writeFileSync(path, await kustomize(`manifests/examples/${name}`));
  return testEngine().apply(path);
}

/** POSTs text from inside the Pod, as the application would. */
async function post(session: Session, pod: string, url: string, body: string): Promise<string> {
  const script = `fetch('${url}', { method: 'POST', body: '${body}' }).then(({ status }) => console.log(status))`;
  const { stdout, stderr } = await session.exec(pod, 'app', ['/nodejs/bin/node', '-e', script]);
  return stdout.trim() || stderr;
}

/** Sends a datagram from inside the Pod, as the application would. */
async function datagram(session: Session, port: number, text: string): Promise<void> {
  const script = `const socket = require('node:dgram').createSocket('udp4'); socket.send('${text}', ${port}, '127.0.0.1', () => socket.close());`;
  await session.exec('shop', 'app', ['/nodejs/bin/node', '-e', script]);
}

const EXAMPLES: Readonly<Record<string, (session: Session) => Promise<void>>> = {
  async ambassador(session) {
    await session.ready('shop');
    const { status, headers } = await session.http('shop', 8080, '/');
    assert.equal(status, 200);
    assert.ok(headers.get('x-request-id'));
    await session.logged('shop', 'sidekit-ambassador', /"path":"\/"/);
  },
  async adapter(session) {
    await session.ready('shop');
    await session.http('shop', 8080, '/echo?seen=1');
    const record = /"path":"\/echo\?seen=1".*"service":"shop"/;
    await session.logged('shop', 'sidekit-adapter', record);
    await datagram(session, 8125, 'orders:2|c');
    await datagram(session, 5514, '<14>1 - - billing - - - paid');
    const message = /"app_name":"billing".*"message":"paid".*"service":"shop"/;
    await session.logged('shop', 'sidekit-adapter', message);
    await eventually(
      async () => /^orders 2$/m.test((await session.http('shop', 9902, '/metrics')).body),
      { what: 'the metric' },
    );
  },
  'file-writer': async (session) => {
    await session.ready('shop-0');
    const { body } = await session.http('shop-0', 8080, '/');
    assert.match(body, /UTC/);
  },
  'mq-producer': async (session) => {
    await session.ready('shop');
    assert.equal(await post(session, 'shop', 'http://127.0.0.1:8181/', 'one'), '202');
    await eventually(
      async () => /^mq_records_total 1$/m.test((await session.http('shop', 9904, '/metrics')).body),
      { what: 'the record in the queue' },
    );
  },
  'mq-consumer': async (session) => {
    await session.ready('orders-0');
    await post(session, 'orders-0', 'http://127.0.0.1:8181/', 'order 66');
    await eventually(
      async () => (await session.http('orders-0', 8080, '/sink')).body.includes('order 66'),
      { what: 'the record at the application' },
    );
  },
  'wait-for': async (session) => {
    const { status } = await session.completed('report');
    assert.equal(status.phase, 'Succeeded');
    assert.match(await session.finalLog('report', 'sidekit-wait-for'), /tcp:shop:8080: there/);
  },
  async coordinator(session) {
    await session.ready('shop');
    await eventually(
      async () => /answers/.test((await session.http('shop', 8080, '/started.txt')).body),
      { what: 'the file that the plan writes' },
    );
  },
  'all-together': async (session) => {
    await session.ready('shop');
    const page = await session.http('shop', 8080, '/');
    assert.match(page.body, /UTC/, "the file-writer's page");
    assert.ok(page.headers.get('x-request-id'), 'through the ambassador');
    await post(session, 'shop', 'http://127.0.0.1:8181/', 'order 67');
    await eventually(
      async () => (await session.http('shop', 8080, '/sink')).body.includes('order 67'),
      {
        what: 'the record at the application',
      },
    );
    await session.logged('shop', 'sidekit-adapter', /"path":"\/sink"/);
    const announced = /"event":"sequence_succeeded","sequence":"announce"/;
    await session.logged('shop', 'sidekit-coordinator', announced);
  },
};

test('every example is restricted, and has a test', async () => {
  const all = globSync('manifests/examples/*/kustomization.yaml').map((path) =>
    basename(path.replace(/\/kustomization.yaml$/, '')),
  );
  assert.deepEqual(all.toSorted(), Object.keys(EXAMPLES).toSorted());
  for (const name of all) {
    const rendered = parse(await kustomize(`manifests/examples/${name}`));
    for (const template of rendered.flatMap(podTemplates))
      assert.deepEqual(podSecurityFaults(template), [], name);
  }
});

for (const [name, shows] of Object.entries(EXAMPLES)) {
  test(`the example ${name} works for a workload that knows nothing of it`, async () => {
    await using session = await apply(name);
    await shows(session);
  });
}
