import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import { eventually } from '@sidekit/test-kit';
import type { Browser, Page } from 'playwright-core';
import { parse, stringify } from 'yaml';
import { must } from '../engine/command.ts';
import type { PodStatus } from '../engine/engine.ts';
import { TestNamespace } from '../engine/namespace.ts';
import { lifecycleJob, lifecyclePod } from '../lifecycle/lifecycle-pod.ts';
import {
  assertPrompt,
  box,
  openView,
  shown,
  startBrowser,
  withoutBrowser,
} from '../support/view-page.ts';

/** When each state of a namespace's Pods arrived by a watch of the API, as kubectl prints it. */
class Arrivals implements Disposable {
  readonly #child: ReturnType<typeof spawn>;
  readonly #all: { readonly at: number; readonly pod: PodStatus }[] = [];

  constructor(namespace: string) {
    const words = ['get', 'pods', '-n', namespace, '--watch', '-o', 'json'];
    const child = spawn('kubectl', words, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#child = child;
    let text = '';
    createInterface({ input: child.stdout }).on('line', (line) => {
      text += `${line}\n`;
      if (line !== '}') return;
      this.#all.push({ at: Date.now(), pod: JSON.parse(text) });
      text = '';
    });
  }

  /** Waits until a state from `since` on is as wanted. @returns when the first such arrived, in ms since 1970. */
  first(since: number, what: string, wanted: (pod: PodStatus) => boolean): Promise<number> {
    const found = () => this.#all.find(({ at, pod }) => at >= since && wanted(pod))?.at;
    return eventually(found, { what, interval: 20 }) as Promise<number>;
  }

  [Symbol.dispose]() {
    this.#child.kill();
  }
}

type Container = NonNullable<PodStatus['status']['containerStatuses']>[number];

const of = (name: string, wanted: (container: Container) => boolean) => (pod: PodStatus) =>
  [...(pod.status.initContainerStatuses ?? []), ...(pod.status.containerStatuses ?? [])].some(
    (container) => container.name === name && wanted(container),
  );

/** Does something, and compares when the API and the page show what follows from it. */
async function assertShown(
  page: Page,
  arrivals: Arrivals,
  {
    name,
    pattern,
    state,
    act,
  }: {
    readonly name: string;
    readonly pattern: RegExp;
    readonly state: (container: Container) => boolean;
    readonly act: () => Promise<unknown>;
  },
) {
  const since = Date.now();
  const [seen, event] = await Promise.all([
    shown(page, box(name), pattern),
    arrivals.first(since, `${name}: ${pattern}`, of(name, state)),
    act(),
  ]);
  assertPrompt(event, seen, `${name}: ${pattern}`);
}

describe('pod view --kube shows Pods of the cluster', { skip: withoutBrowser }, () => {
  let browser: Browser;
  before(async () => {
    browser = await startBrowser();
  });
  after(() => browser?.close());

  test('a Pod comes up, crashes, fails its probe and recovers, reads a changed ConfigMap and goes', async () => {
    await using namespace = await TestNamespace.create();
    const { name } = namespace;
    await using view = await openView(browser, process.env, ['--kube', '-n', name]);
    using arrivals = new Arrivals(name);
    const { page } = view;
    await page.getByText('No Pods.').waitFor();
    const apply = (text: string) =>
      must('kubectl', ['apply', '-n', name, '-f', '-'], { input: text });
    const settings = (greeting: string) =>
      stringify({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'lc-settings' },
        data: { greeting },
      });
    const spec = `
terminationGracePeriodSeconds: 1
volumes: [{name: settings, configMap: {name: lc-settings}}]
initContainers: [{name: prepare, run: "prepare exit=0,0"}]
containers:
- name: web
  run: web
  ports: [{name: http, containerPort: 8080}]
  readinessProbe:
    periodSeconds: 1
    failureThreshold: 1
    exec: {command: [/nodejs/bin/node, -e, "process.exit(fs.existsSync('/state/broken') ? 1 : 0)"]}
  volumeMounts: [{name: settings, mountPath: /settings}]`;
    const service = stringify({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'shop' },
      spec: { selector: { app: 'shop' }, ports: [{ port: 80, targetPort: 'http' }] },
    });
    const [pod = '', ...others] = lifecyclePod('lc-view', spec, settings('hello')).split('---\n');
    const object = parse(pod);
    object.metadata.labels = { app: 'shop' };
    await assertShown(page, arrivals, {
      name: 'web',
      pattern: /Ready/,
      state: ({ ready }) => ready,
      act: () => apply([stringify(object), ...others, service].join('---\n')),
    });
    await page.locator(box('prepare')).getByText('Completed').waitFor();
    await page.locator('[data-box="service shop"]').getByText('80 → 8080').waitFor();

    const node = (program: string) =>
      must('kubectl', [
        'exec',
        '-n',
        name,
        'lc-view',
        '-c',
        'web',
        '--',
        '/nodejs/bin/node',
        '-e',
        program,
      ]);
    await assertShown(page, arrivals, {
      name: 'web',
      pattern: /Running/,
      state: ({ ready }) => !ready,
      act: () => node("fs.writeFileSync('/state/broken', '')"),
    });
    await page.getByText('The history in words').click();
    await page
      .getByText(/web: Readiness probe failed/)
      .first()
      .waitFor();
    await assertShown(page, arrivals, {
      name: 'web',
      pattern: /Ready/,
      state: ({ ready }) => ready,
      act: () => node("fs.rmSync('/state/broken')"),
    });
    await Promise.all([
      shown(page, 'details', /ConfigMap lc-settings was changed/),
      apply(settings('goodbye')),
    ]);
    await assertShown(page, arrivals, {
      name: 'web',
      pattern: /Ready, 1 restarts/,
      state: ({ ready, restartCount }) => ready && restartCount === 1,
      // The toolbox ends with the signal of its parent.
      act: () => node("process.kill(1, 'SIGTERM')").catch(() => {}),
    });
    await page.getByText(/web exited with \d+ after/).waitFor();
    await page.getByText(/web started again/).waitFor();
    await must('kubectl', ['delete', 'pod', 'lc-view', '-n', name, '--wait=false']);
    await page.getByText('No Pods.').waitFor();
    assert.deepEqual(view.errors, []);
  });

  test('a Job with a sidecar completes, with its logs, memory and CPU', async () => {
    await using namespace = await TestNamespace.create();
    const { name } = namespace;
    await using view = await openView(browser, process.env, ['--kube', '-n', name]);
    using arrivals = new Arrivals(name);
    const { page } = view;
    const spec = `
restartPolicy: Never
terminationGracePeriodSeconds: 1
initContainers: [{name: side, run: side, restartPolicy: Always}]
containers: [{name: work, run: "work exit=15000,0"}]`;
    const job = lifecycleJob('lc-view-job', spec);
    await assertShown(page, arrivals, {
      name: 'work',
      pattern: /Ready/,
      state: ({ ready }) => ready,
      act: () => must('kubectl', ['apply', '-n', name, '-f', '-'], { input: job }),
    });
    await page.locator('.lines .line', { hasText: 'work' }).first().waitFor();
    await page.getByRole('tab', { name: 'Metrics' }).click();
    await page.locator('figure', { hasText: 'work memory' }).getByText('MiB').waitFor();
    for (const container of ['work', 'side']) {
      await assertShown(page, arrivals, {
        name: container,
        pattern: /Completed/,
        state: ({ state }) => state.terminated?.exitCode === 0,
        act: async () => {},
      });
    }
    await page.locator('.chip', { hasText: 'Completed' }).waitFor();
    assert.deepEqual(view.errors, []);
  });
});
