import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { stringify } from 'yaml';
import { must } from '../engine/command.ts';
import {
  assertPrompt,
  box,
  openView,
  shown,
  startBrowser,
  withoutBrowser,
} from '../support/view-page.ts';
import { lifecycleJob, lifecyclePod } from './lifecycle-pod.ts';
import { OwnStore } from './own-store.ts';

const { POD_ENGINE: engine = 'podman' } = process.env;
const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
const skip = engine === 'kube' ? 'needs an engine of this machine' : withoutBrowser;

interface RecordedEvent {
  readonly time: string;
  readonly reason: string;
  readonly container?: string;
  readonly message: string;
}

/** The runner's latest event of a reason, of a container if one is named. */
async function eventOf(store: OwnStore, pod: string, reason: string, container?: string) {
  const events: RecordedEvent[] = JSON.parse(await store.pod('events', pod, '-o', 'json'));
  const found = events.findLast(
    (event) =>
      event.reason === reason && (container === undefined || event.container === container),
  );
  assert.ok(found, `${pod} has no event ${reason} of ${container}`);
  return Date.parse(found.time);
}

describe('pod view shows real Pods', { skip }, () => {
  let browser: Browser;
  before(async () => {
    browser = await startBrowser();
  });
  after(() => browser?.close());

  test('a Pod comes up, a container crashes and is started again', async () => {
    await using store = new OwnStore();
    await using view = await openView(browser, store.env);
    const { page } = view;
    await page.getByText('No Pods.').waitFor();
    const spec = `
terminationGracePeriodSeconds: 1
initContainers: [{name: prepare, run: "prepare exit=0,0"}]
containers: [{name: web, run: "web exit=20000,3"}]`;
    const [ready] = await Promise.all([
      shown(page, box('web'), /Ready/),
      store.pod('up', store.file('up.yaml', lifecyclePod('lc-view', spec))),
    ]);
    assertPrompt(await eventOf(store, 'lc-view', 'Started', 'web'), ready, 'the start');
    await page.locator(box('prepare')).getByText('Completed').waitFor();
    const restarted = await shown(page, box('web'), /Ready, 1 restarts/);
    assertPrompt(await eventOf(store, 'lc-view', 'Started', 'web'), restarted, 'the restart');
    await page.getByText('The history in words').click();
    await page.getByText(/web exited with 3 after/).waitFor();
    assert.deepEqual(view.errors, []);
  });

  test('a Job with a sidecar completes', async () => {
    await using store = new OwnStore();
    await using view = await openView(browser, store.env);
    const spec = `
restartPolicy: Never
terminationGracePeriodSeconds: 1
initContainers: [{name: side, run: side, restartPolicy: Always}]
containers: [{name: work, run: "work exit=1000,0"}]`;
    const job = lifecycleJob('lc-view-job', spec);
    const [completed, ended] = await Promise.all([
      shown(view.page, box('work'), /Completed/),
      shown(view.page, box('side'), /Completed/),
      store.pod('up', store.file('job.yaml', job)),
    ]);
    const { items } = JSON.parse(await store.pod('ps', '-o', 'json'));
    const { name } = items[0].metadata;
    assertPrompt(await eventOf(store, name, 'Exited', 'work'), completed, 'the end of the work');
    assertPrompt(await eventOf(store, name, 'Exited', 'side'), ended, 'the end of the sidecar');
    await view.page.locator('.chip', { hasText: 'Completed' }).waitFor();
    assert.deepEqual(view.errors, []);
  });

  test('a probe fails and recovers, and a changed ConfigMap arrives', async () => {
    await using store = new OwnStore();
    await using view = await openView(browser, store.env);
    const { page } = view;
    const manifest = (greeting: string) =>
      lifecyclePod(
        'lc-probed',
        `
terminationGracePeriodSeconds: 1
volumes: [{name: settings, configMap: {name: lc-settings}}]
containers:
- name: web
  run: web
  readinessProbe:
    periodSeconds: 1
    failureThreshold: 1
    exec: {command: [/nodejs/bin/node, -e, "process.exit(fs.existsSync('/state/broken') ? 1 : 0)"]}
  volumeMounts: [{name: settings, mountPath: /settings}]`,
        stringify({
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { name: 'lc-settings' },
          data: { greeting },
        }),
      );
    await store.pod('up', store.file('probed.yaml', manifest('hello')));
    const node = (program: string) =>
      store.pod('exec', 'lc-probed', '--', '/nodejs/bin/node', '-e', program);
    await shown(page, box('web'), /Ready/);
    const [failing] = await Promise.all([
      shown(page, box('web'), /Running/),
      node("fs.writeFileSync('/state/broken', '')"),
    ]);
    assertPrompt(
      await eventOf(store, 'lc-probed', 'Unhealthy', 'web'),
      failing,
      'the failed probe',
    );
    await Promise.all([shown(page, box('web'), /Ready/), node("fs.rmSync('/state/broken')")]);
    await page.getByText('The history in words').click();
    const [updated] = await Promise.all([
      shown(page, '.history, details', /volumes were updated: settings/),
      store.pod('up', store.file('probed.yaml', manifest('goodbye'))),
    ]);
    assertPrompt(await eventOf(store, 'lc-probed', 'Updated'), updated, 'the ConfigMap');
    assert.deepEqual(view.errors, []);
  });

  test('a queue fills and drains, and CPU and memory stand next to their limits', async () => {
    await using store = new OwnStore();
    await using view = await openView(browser, store.env);
    const { page } = view;
    const mq = `image: "sidekit/mq:${version}", imagePullPolicy: Never`;
    const spec = `
terminationGracePeriodSeconds: 1
containers:
- {name: fill, ${mq}, args: [producer, --queue, /lc-view, --source, http, --listen, ":8091", --exit-message, ""], ports: [{name: admin-fill, containerPort: 9904}]}
- {name: drain, ${mq}, args: [consumer, --queue, /lc-view], ports: [{name: admin-drain, containerPort: 9905}]}
- {name: app, run: app, resources: {requests: {cpu: 10m}, limits: {memory: 128Mi}}}`;
    await store.pod('up', store.file('queue.yaml', lifecyclePod('lc-queue', spec)));
    const node = (program: string) =>
      store.pod('exec', 'lc-queue', '-c', 'app', '--', '/nodejs/bin/node', '-e', program);
    await page.getByRole('tab', { name: 'Metrics' }).click();
    const depth = page.locator('figure', { hasText: 'fill queue depth' }).locator('output');
    await depth.getByText(/^0$/).waitFor();
    const { items } = JSON.parse(await store.pod('ps', '-o', 'json'));
    const drain = items[0].status.containerStatuses.find(
      ({ name }: { name: string }) => name === 'drain',
    );
    const id = drain.containerID.replace(/^\w+:\/\//, '');
    // A consumer that stands still: the queue fills.
    await must(engine, ['kill', '--signal', 'STOP', id]);
    await node(
      "fetch('http://127.0.0.1:8091', { method: 'POST', body: 'a\\n'.repeat(8) }).then(({ status }) => { if (status >= 300) throw status })",
    );
    await depth.getByText(/^[78]$/).waitFor();
    await must(engine, ['kill', '--signal', 'CONT', id]);
    await depth.getByText(/^0$/).waitFor();
    await page.locator('figure', { hasText: 'app memory' }).getByText('limit 128Mi').waitFor();
    await page.locator('figure', { hasText: 'app CPU' }).getByText('request 10m').waitFor();
    assert.deepEqual(view.errors, []);
  });
});
