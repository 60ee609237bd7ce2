import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { eventually, staysTrueFor } from '@sidekit/test-kit';
import { KubeEngine, type KubeSession } from '../engine/kube-engine.ts';

const MANIFEST = 'manifests/cluster/dashboards.yaml';

function dashboard(name: string, data: Readonly<Record<string, string>>, folder?: string) {
  const annotations = folder === undefined ? {} : { 'sidekit.dev/folder': folder };
  const metadata = { name, labels: { dashboard: '1' }, annotations };
  return JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data });
}

async function page(session: KubeSession, path: string): Promise<string> {
  const { status, body } = await session.http('dashboards', 5000, `/dashboards/${path}`);
  return status === 200 ? body.trim() : `${status}`;
}

/** The manifest with an interval of an hour: what comes sooner came by a watch. */
function watchingOnly(): string {
  mkdirSync('dist/cluster', { recursive: true });
  const path = 'dist/cluster/dashboards.yaml';
  const text = readFileSync(MANIFEST, 'utf8');
  assert.match(text, /--interval=30s/);
  writeFileSync(path, text.replace('--interval=30s', '--interval=1h'));
  return path;
}

/** Waits until the application serves this. */
function serves(session: KubeSession, path: string, text: string) {
  return eventually(async () => (await page(session, path)) === text, {
    what: `${path} is ${text}`,
    interval: 200,
  });
}

test('labelled ConfigMaps of a real API server become files, as they come, change and go', async () => {
  await using session = await new KubeEngine().apply(watchingOnly());
  await session.ready('dashboards');
  assert.equal(await page(session, 'latency.json'), '{"title": "Latency"}');
  assert.equal(await page(session, 'team-a/errors.json'), '{"title": "Errors"}');

  await session.kubectl(['apply', '-f', '-'], dashboard('dashboard-new', { 'new.json': 'one' }));
  await serves(session, 'new.json', 'one');
  await session.reapply(dashboard('dashboard-new', { 'new.json': 'two' }, 'team-b'));
  await serves(session, 'team-b/new.json', 'two');
  assert.equal(await page(session, 'new.json'), '404');
  await session.kubectl(['delete', 'configmap', 'dashboard-new']);
  await serves(session, 'team-b/new.json', '404');
  await session.kubectl(['label', 'configmap', 'dashboard-latency', 'dashboard-']);
  await serves(session, 'latency.json', '404');
  assert.equal(await page(session, 'team-a/errors.json'), '{"title": "Errors"}');
});

test('an object with an unsafe folder costs itself alone', async () => {
  await using session = await new KubeEngine().apply(MANIFEST);
  await session.ready('dashboards');
  await session.reapply(dashboard('dashboard-bad', { 'bad.json': 'bad' }, '../../outside'));
  await session.logged('dashboards', 'collector', /dashboard-bad.*"event":"content_warning"/);
  await session.reapply(dashboard('dashboard-good', { 'good.json': 'good' }));
  await serves(session, 'good.json', 'good');
  assert.equal(await page(session, 'bad.json'), '404');
});

test('access that is lost removes no file, is reported, and comes back', async () => {
  await using session = await new KubeEngine().apply(MANIFEST);
  await session.ready('dashboards');
  const binding = await session.kubectl(['get', 'rolebinding', 'dashboards', '-o', 'json']);
  await session.kubectl(['delete', 'rolebinding', 'dashboards']);
  const admin = async (path: string) => (await session.http('dashboards', 9903, path)).body;
  await eventually(
    async () =>
      (await admin('/metrics')).includes('file_writer_failing{target="/files/dashboards"} 1'),
    { what: 'the metric of the lost access', interval: 500 },
  );
  assert.match(
    await session.allLogs('dashboards'),
    /answered 403: give the service account a Role.*"event":"check_failed"/,
  );
  await staysTrueFor(
    async () => (await page(session, 'team-a/errors.json')) === '{"title": "Errors"}',
    1_000,
    { what: 'the file is served', interval: 100 },
  );
  assert.equal(JSON.parse(await admin('/readyz')).status, 'ok');

  const { metadata, ...rest } = JSON.parse(binding);
  await session.reapply(JSON.stringify({ ...rest, metadata: { name: metadata.name } }));
  await session.reapply(dashboard('dashboard-back', { 'back.json': 'back' }));
  await serves(session, 'back.json', 'back');
});
