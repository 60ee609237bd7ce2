import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { eventually } from '@sidekit/test-kit';
import { KubeEngine, type KubeSession } from '../engine/kube-engine.ts';
import { TestNamespace } from '../engine/namespace.ts';
import { deletePolicies, INJECTED, installPolicies, ORDER } from './policies.ts';
import {
  asks,
  COLLECTOR,
  deployment,
  GIT_SERVER,
  job,
  PLAN,
  service,
  spec,
  type Words,
  webapp,
} from './workloads.ts';

/** Injected sidecars at work, in workloads that know nothing of them; on a cluster with the images. */

let namespace: TestNamespace;
before(async () => {
  namespace = await TestNamespace.create({ labels: INJECTED });
  await installPolicies(namespace);
});
after(async () => {
  await deletePolicies();
  await namespace?.[Symbol.asyncDispose]();
});

async function apply(name: string, items: readonly object[]): Promise<KubeSession> {
  mkdirSync('dist/injection', { recursive: true });
  const path = `dist/injection/injection-${name}.json`;
  writeFileSync(path, JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
  return new KubeEngine().apply(path, { labels: INJECTED });
}

async function assertContainers(session: KubeSession, pod: string, sidecars: readonly string[]) {
  const { status } = await session.status(pod);
  assert.deepEqual(
    status.initContainerStatuses?.map(({ name }) => name),
    ORDER.filter((name) => sidecars.includes(name)).map((name) => `sidekit-${name}`),
  );
  assert.deepEqual(
    status.containerStatuses?.map(({ name }) => name),
    ['app'],
  );
}

/** Asks the application through the Service, as a client in the cluster would. */
function throughService(session: KubeSession, name: string, path: string): Promise<string> {
  return session.kubectl([
    'get',
    '--raw',
    `/api/v1/namespaces/${session.namespace}/services/${name}:http/proxy${path}`,
  ]);
}

const HTTP = [{ name: 'http', port: 80, targetPort: 'ambassador' }];

/** Runs in the container of the Pod's own application. */
async function run(session: KubeSession, pod: string, script: string): Promise<string> {
  const { stdout, stderr } = await session.exec(pod, 'app', ['/nodejs/bin/node', '-e', script]);
  return stdout.trim() || stderr;
}

const JOURNEYS: Readonly<
  Record<
    string,
    {
      readonly settings: Words;
      readonly others?: readonly object[];
      readonly shows: (session: KubeSession) => Promise<void>;
    }
  >
> = {
  'wait-for': {
    settings: { targets: 'tcp:collector:4318' },
    others: COLLECTOR,
    shows: async (session) => {
      assert.match(await session.finalLog('shop', 'sidekit-wait-for'), /tcp:collector:4318: there/);
    },
  },
  coordinator: {
    settings: { plan: 'shop-plan', shared: '/from-the-plan' },
    others: [PLAN],
    shows: async (session) => {
      const script = `console.log(fs.readFileSync('/from-the-plan/started', 'utf8'))`;
      await eventually(async () => (await run(session, 'shop', script)) === 'by the plan', {
        what: 'the file of the plan, at the application',
        interval: 250,
      });
    },
  },
  'file-writer': {
    settings: {
      source: 'git',
      repository: 'http://git-server:8081/site.git',
      ref: 'main',
      target: '/files/site',
      interval: '1s',
      files: '/srv',
    },
    others: GIT_SERVER,
    shows: async (session) => {
      const page = async () => {
        const script = `fetch('http://127.0.0.1:5000/site/index.html').then(async (r) => console.log(await r.text()))`;
        return run(session, 'shop', script);
      };
      assert.equal(await page(), 'from a commit');
      const commit = { method: 'PUT', body: 'from the next' };
      await session.http('git-server', 8081, '/site.git/files/index.html', commit);
      const what = 'the next commit on the page';
      await eventually(async () => (await page()) === 'from the next', { what, interval: 250 });
    },
  },
  adapter: {
    settings: { logs: '/var/log/app', output: 'otlp:http://collector:4318' },
    others: COLLECTOR,
    shows: async (session) => {
      await run(session, 'shop', `fetch('http://127.0.0.1:5000/echo?seen=1')`);
      const received = async () => (await session.http('collector', 4318, '/sink')).body;
      await eventually(async () => (await received()).includes('/echo?seen=1'), {
        what: 'the record at the collector',
        interval: 250,
      });
    },
  },
  'mq-producer': {
    settings: { queue: '/orders' },
    shows: async (session) => {
      const script = `fetch('http://127.0.0.1:8181/', { method: 'POST', body: 'one' }).then(({ status }) => console.log(status))`;
      assert.equal(await run(session, 'shop', script), '202');
      await eventually(
        async () =>
          /^mq_records_total 1$/m.test((await session.http('shop', 9904, '/metrics')).body),
        { what: 'the record in the queue', interval: 250 },
      );
    },
  },
  'mq-consumer': {
    settings: { queue: '/orders', sink: 'http', url: 'http://127.0.0.1:5000/sink' },
    shows: async (session) => {
      await session.logged('shop', 'sidekit-mq-consumer', /"event":"queue_open"/);
    },
  },
  ambassador: {
    settings: { listen: ':8080' },
    others: [service('shop', HTTP)],
    shows: async (session) => {
      const { status, headers } = await session.http('shop', 8080, '/');
      assert.equal(status, 200);
      assert.ok(headers.get('x-request-id'), 'through the ambassador');
      const seen = await throughService(session, 'shop', '/echo?by=service');
      assert.match(seen, /by=service/);
      assert.match(seen, /x-request-id/i, 'the Service leads to the ambassador');
    },
  },
};

for (const [name, { settings, others = [], shows }] of Object.entries(JOURNEYS)) {
  test(`${name} is injected into a Deployment alone, and works`, async () => {
    const alone = name === 'mq-consumer' ? ['mq-producer'] : [];
    const asked = asks({
      [name]: settings,
      ...Object.fromEntries(alone.map((other) => [other, JOURNEYS[other]?.settings ?? {}])),
    });
    const args = name === 'file-writer' ? ['--static', '/srv'] : [];
    const pod = name === 'adapter' ? webapp(...args) : spec('webapp', { args });
    await using session = await apply(name, [...others, deployment('shop', asked, pod)]);
    await session.ready('shop', 180_000);
    await assertContainers(session, 'shop', [name, ...alone]);
    await shows(session);
  });
}

test('all are injected into a Deployment, stacked, and each works', async () => {
  const settings = Object.fromEntries(
    Object.entries(JOURNEYS).map(([name, one]) => [name, one.settings]),
  );
  const pod = webapp('--static', '/srv');
  await using session = await apply('all', [
    ...COLLECTOR,
    ...GIT_SERVER,
    PLAN,
    service('shop', HTTP),
    deployment('shop', asks(settings), pod),
  ]);
  await session.ready('shop', 180_000);
  await assertContainers(session, 'shop', ORDER);
  for (const [name, { shows }] of Object.entries(JOURNEYS)) {
    if (name === 'mq-producer') continue;
    await shows(session);
  }
  // Through the queue: from the application to the producer, the consumer, and back.
  const script = `fetch('http://127.0.0.1:8181/', { method: 'POST', body: 'order 66' })`;
  await run(session, 'shop', script);
  await eventually(
    async () => (await session.http('shop', 8080, '/sink')).body.includes('order 66'),
    { what: 'the order at the application', interval: 250 },
  );
});

test('a Job with all sidecars completes, and they are stopped after it', async () => {
  const script = `
    const { writeFileSync, readFileSync } = require('node:fs');
    writeFileSync('/var/log/app/job.log', '127.0.0.1 - - [26/Nov/2026:10:00:00 +0000] "GET /from-the-job HTTP/1.1" 200 2\\n');
    console.log(readFileSync('/srv/date.txt', 'utf8'));
    fetch('http://127.0.0.1:8181/', { method: 'POST', body: 'from the job' }).then(({ status }) => console.log('posted', status));`;
  const settings = Object.fromEntries(
    Object.entries(JOURNEYS).map(([name, one]) => [name, one.settings]),
  );
  const asked = asks({
    ...settings,
    'file-writer': { source: 'clock', target: '/files/date.txt', files: '/srv' },
    'mq-consumer': { queue: '/orders', sink: 'stdout' },
    ambassador: { upstream: 'http://collector:4318' },
  });
  const pod = spec('wait-for', { command: ['/nodejs/bin/node', '-e', script] });
  await using session = await apply('job', [...COLLECTOR, PLAN, job('report', asked, pod)]);
  const { status } = await session.completed('report', 180_000);
  assert.equal(status.phase, 'Succeeded');
  await assertContainers(session, 'report', ORDER);
  await session.kubectl(['wait', '--for=condition=Complete', 'job/report', '--timeout=60s']);
  for (const { name, restartCount, state } of status.initContainerStatuses ?? []) {
    assert.equal(state.terminated?.exitCode, 0, name);
    assert.equal(restartCount, 0, name);
  }
  assert.match(await session.finalLog('report', 'app'), /UTC[\s\S]*posted 202/);
  // The adapter read the line that was written right before the end.
  const { body } = await session.http('collector', 4318, '/sink');
  assert.match(body, /from-the-job/);
  assert.match(await session.finalLog('report', 'sidekit-mq-consumer'), /from the job/);
});

test('Pods that run already, and updates of Pods, are left alone', async () => {
  const pod = spec('webapp', {});
  await using session = await apply('update', [deployment('shop', asks({}), pod)]);
  const { metadata } = await session.ready('shop');
  await session.kubectl(['label', 'pod', metadata.name, 'sidekit.dev/ambassador=true']);
  const { status } = await session.status('shop');
  assert.equal(status.initContainerStatuses, undefined);
});
