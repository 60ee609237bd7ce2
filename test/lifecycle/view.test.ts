import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import { after, before, describe, test } from 'node:test';
import { eventually } from '@sidekit/test-kit';
import { type Browser, chromium, type Page } from 'playwright-core';
import { parse, stringify } from 'yaml';
import { must } from '../engine/command.ts';
import { lifecyclePod } from './lifecycle-pod.ts';
import { OwnStore, POD } from './own-store.ts';

const CHROMIUM = '/usr/bin/chromium';
const { POD_ENGINE: engine = 'podman' } = process.env;
const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
const patience = { timeout: 120_000, interval: 200 };
/** The page shows an event within so many milliseconds; more only while other work has the cores. */
const PROMPT = 500;
const BUSY = 10_000;

const skip =
  process.env.POD_ENGINE === 'kube'
    ? 'needs an engine of this machine'
    : existsSync(CHROMIUM)
      ? false
      : 'needs chromium';

interface RecordedEvent {
  readonly time: string;
  readonly reason: string;
  readonly container?: string;
  readonly message: string;
}

/** `pod view` of a store, opened in a browser. */
async function openView(store: OwnStore, browser: Browser) {
  const server = spawn(POD, ['view'], { env: store.env, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => server.once('close', resolve));
  let url = '';
  server.stdout.setEncoding('utf8').on('data', (text) => (url += text));
  await eventually(() => url.includes('\n'), { what: 'the URL of the page', ...patience });
  const page = await browser.newPage();
  page.setDefaultTimeout(120_000);
  const errors: string[] = [];
  page.on('console', (message) => {
    // Chromium drops its connections whenever a network of a Pod comes or goes; the page reconnects.
    if (message.type() !== 'error' || /ERR_NETWORK_CHANGED/.test(message.text())) return;
    errors.push(message.text());
  });
  page.on('pageerror', (error) => errors.push(String(error)));
  await page.goto(url.trim());
  await page.getByText('live', { exact: true }).waitFor();
  return {
    page,
    errors,
    async [Symbol.asyncDispose]() {
      await page.close();
      server.kill('SIGTERM');
      await ended;
    },
  };
}

/** Resolves with the instant at which the page shows a text in an element, in ms since 1970. */
function shown(page: Page, selector: string, pattern: RegExp): Promise<number> {
  // Text, since it runs in the page: this program knows no DOM.
  return page.evaluate(`new Promise((resolve) => {
    const check = () => {
      const all = [...document.querySelectorAll(${JSON.stringify(selector)})];
      if (!all.some(({ textContent }) => ${String(pattern)}.test(textContent))) return;
      observer.disconnect();
      resolve(Date.now());
    };
    const observer = new MutationObserver(check);
    observer.observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
    check();
  })`);
}

const box = (name: string) => `[data-box="container ${name}"]`;

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

/** Fails if the page showed an event late. */
function assertPrompt(event: number, seen: number, what: string) {
  const lag = seen - event;
  const busy = (loadavg()[0] ?? 0) > availableParallelism();
  assert.ok(lag <= (busy ? BUSY : PROMPT), `${what} was shown after ${lag} ms`);
}

describe('pod view shows real Pods', { skip }, () => {
  let browser: Browser;
  before(async () => {
    browser = await chromium.launch({
      executablePath: CHROMIUM,
      timeout: 120_000,
      args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
    });
  });
  after(() => browser?.close());

  test('a Pod comes up, a container crashes and is started again', async () => {
    await using store = new OwnStore();
    await using view = await openView(store, browser);
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
    await using view = await openView(store, browser);
    const spec = `
restartPolicy: Never
terminationGracePeriodSeconds: 1
initContainers: [{name: side, run: side, restartPolicy: Always}]
containers: [{name: work, run: "work exit=1000,0"}]`;
    const [pod = '', toolbox = ''] = lifecyclePod('lc-work', spec).split('---\n');
    const { spec: template } = parse(pod);
    const job = stringify({
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: 'lc-view-job' },
      spec: { template: { spec: template } },
    });
    const [completed, ended] = await Promise.all([
      shown(view.page, box('work'), /Completed/),
      shown(view.page, box('side'), /Completed/),
      store.pod('up', store.file('job.yaml', `${job}---\n${toolbox}`)),
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
    await using view = await openView(store, browser);
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
    await using view = await openView(store, browser);
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
