import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import type { Behaviour } from '../lifecycle/testing/simulation.ts';
import { podView } from './pod-view.ts';
import { createKeys, createViewServer } from './server.ts';
import { startBrowser, withoutBrowser } from './testing/browser.ts';
import { FakeSource } from './testing/fake-source.ts';
import { simulatedPod } from './testing/simulated-pod.ts';

const SPEC = `
volumes: [{name: html, emptyDir: {}}]
initContainers:
  - {name: fetch, image: x, volumeMounts: [{name: html, mountPath: /html}]}
  - {name: proxy, image: x, restartPolicy: Always, startupProbe: {httpGet: {port: 8080, path: /}}, ports: [{name: http, containerPort: 8080}]}
containers:
  - {name: web, image: x, args: [--queue, /jobs], volumeMounts: [{name: html, mountPath: /html, readOnly: true}]}`;
const SERVICES = [{ name: 'shop', ports: [{ port: 80, target: 8080 }] }];

function shop(age: number, web: Behaviour = {}, name = 'shop') {
  const behaviours: Readonly<Record<string, Behaviour>> = {
    fetch: { exitAfter: 500 },
    proxy: { probe: (_, since) => since > 1500 },
    web,
  };
  const behaviour = (container: string) => behaviours[container] ?? {};
  const { status, events } = simulatedPod({ name, spec: SPEC, behaviour, age });
  return podView(status, events, SERVICES);
}

describe('the page in a real browser', { skip: withoutBrowser }, () => {
  let browser: Browser;
  before(async () => {
    browser = await startBrowser();
  });
  after(() => browser?.close());

  async function open(source: FakeSource, { width = 1200, dark = false } = {}) {
    const keys = createKeys();
    const server = createViewServer(source, keys).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const url = `http://127.0.0.1:${port}/?token=${keys.token}`;
    const page = await browser.newPage({
      viewport: { width, height: 900 },
      colorScheme: dark ? 'dark' : 'light',
    });
    page.setDefaultTimeout(60_000);
    const errors: string[] = [];
    page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
    page.on('pageerror', (error) => errors.push(String(error)));
    await page.goto(url);
    return {
      page,
      errors,
      url,
      port,
      keys,
      async [Symbol.asyncDispose]() {
        await page.close();
        server.closeAllConnections();
        server.close();
      },
    };
  }

  const box = (page: Page, name: string) => page.locator(`button.container:has-text("${name}")`);

  test('a Pod comes up, a container crashes and restarts, and each is seen without a reload', async () => {
    const source = new FakeSource();
    source.set(shop(100));
    await using view = await open(source);
    const { page, errors } = view;
    await box(page, 'web').getByText('PodInitializing').waitFor();
    source.set(shop(5000));
    await box(page, 'fetch').getByText('Completed').waitFor();
    await box(page, 'web').getByText('Ready').waitFor();
    assert.equal(await page.locator('.segment.starting').count(), 2, 'the bar and the legend');
    source.set(shop(7000, { exitAfter: 1000, exitCode: 3 }));
    await box(page, 'web').getByText('CrashLoopBackOff').waitFor();
    assert.match((await box(page, 'web').textContent()) ?? '', /restarts|back-off/);
    await page.getByText('The history in words').click();
    await page.getByText(/web waited \d\.\d s for proxy's startup probe/).waitFor();
    source.remove('shop');
    await page.getByText('No Pods.').waitFor();
    assert.deepEqual(errors, []);
  });

  test('markup and control characters in names and logs are shown as text', async () => {
    const source = new FakeSource();
    source.set(shop(5000));
    await using view = await open(source);
    const { page, errors } = view;
    await page.locator('[role=log]').waitFor();
    const text = '<img src=x onerror="document.title=\'run\'">\u001b[31mred\u001b[0m\u0007\u202e';
    await pushUntilShown(source, page, text, 'red');
    assert.equal(await page.locator('.lines img').count(), 0);
    assert.equal(await page.title(), 'Pods');
    assert.match((await page.locator('.lines').textContent()) ?? '', /onerror=.*>red\ufffd\ufffd/);
    assert.deepEqual(errors, []);
  });

  test('a flood of long lines and fifty Pods leave the page usable', async () => {
    const source = new FakeSource();
    source.set(...Array.from({ length: 50 }, (_, i) => shop(5000, {}, `shop-${i}`)));
    await using view = await open(source);
    const { page, errors } = view;
    await page.locator('[role=log]').waitFor();
    await pushUntilShown(source, page, 'begin', 'begin', 'shop-0');
    const time = new Date().toISOString();
    const line = { container: 'web', time, text: 'x'.repeat(1_000_000) };
    source.log('shop-0', { ...line, text: line.text.slice(0, 16_384) });
    for (let i = 0; i < 100_000; i++) source.log('shop-0', { ...line, text: `line ${i}` });
    await page.getByText(/came too fast and are not shown/).waitFor();
    await page.getByLabel('Search').fill('line 42');
    await page.getByText(/^\d+ lines/).waitFor();
    assert.ok((await page.locator('.lines .line').count()) < 200, 'only visible lines are drawn');
    await page.getByRole('button', { name: /shop-49/ }).click();
    await page.getByRole('heading', { name: 'shop-49' }).waitFor();
    assert.deepEqual(errors, []);
  });

  test('the page works from the keyboard, and a container leads to its part of the manifest', async () => {
    const source = new FakeSource();
    source.set(shop(5000));
    await using view = await open(source);
    const { page } = view;
    await box(page, 'proxy').focus();
    await page.keyboard.press('Enter');
    assert.equal(await box(page, 'proxy').getAttribute('aria-pressed'), 'true');
    await page.getByRole('tab', { name: 'Logs' }).focus();
    await page.keyboard.press('ArrowRight');
    const marked = page.locator('.manifest mark');
    await marked.first().waitFor();
    const part = (await marked.allTextContents()).join('');
    assert.match(part, /name: proxy/);
    assert.doesNotMatch(part, /name: web/);
  });

  test('charts show what the sidecars measure', async () => {
    const source = new FakeSource();
    source.set(shop(5000));
    source.samples = [{ container: 'proxy', values: { requests: 10, memoryBytes: 64 * 2 ** 20 } }];
    await using view = await open(source);
    const { page, errors } = view;
    await page.getByRole('tab', { name: 'Metrics' }).click();
    await page.getByText('64 MiB').waitFor();
    source.samples = [{ container: 'proxy', values: { requests: 99, memoryBytes: 80 * 2 ** 20 } }];
    await page.getByText('80 MiB').waitFor();
    assert.ok((await page.locator('.plot canvas').count()) >= 2);
    assert.deepEqual(errors, []);
  });

  test('the timeline is saved as a picture with its own colours', async () => {
    const source = new FakeSource();
    source.set(shop(5000));
    await using view = await open(source);
    const [download] = await Promise.all([
      view.page.waitForEvent('download'),
      view.page.getByRole('button', { name: 'Save as SVG' }).click(),
    ]);
    assert.equal(download.suggestedFilename(), 'shop-timeline.svg');
    const text = readFileSync(await download.path(), 'utf8');
    assert.match(text, /^<svg [^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
    assert.match(text, /fill="rgb\(/);
    assert.doesNotMatch(text, /class=/);
  });

  test('a page of another origin gets nothing, even in the browser that has the cookie', async () => {
    const source = new FakeSource();
    source.set(shop(5000));
    await using view = await open(source);
    const other = createServer((_, response) => {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>other</h1>');
    }).listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    await view.page.goto(`http://127.0.0.1:${port}/`);
    const target = `http://127.0.0.1:${view.port}/${view.keys.path}/sample?pod=shop`;
    const seen = await view.page.evaluate(
      (url) =>
        fetch(url, { credentials: 'include' }).then(
          (response) => response.text(),
          () => 'refused',
        ),
      target,
    );
    assert.equal(seen, 'refused');
    other.closeAllConnections();
    other.close();
  });

  test('axe finds nothing serious, at three widths, light and dark; nothing is wider than the window', async () => {
    const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
    const source = new FakeSource();
    source.set(shop(9000, { exitAfter: 1000, exitCode: 3 }), shop(5000, {}, 'second'));
    for (const width of [400, 1000, 2000]) {
      for (const dark of [false, true]) {
        await using view = await open(source, { width, dark });
        const { page } = view;
        await box(page, 'web').waitFor();
        const [problems, overflow] = (await page.evaluate(`(async () => {
          ${axe};
          const { violations } = await axe.run();
          const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
          const { scrollWidth, clientWidth } = document.documentElement;
          return [serious.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join(' ')), scrollWidth - clientWidth];
        })()`)) as [string[], number];
        assert.deepEqual(problems, [], `${width} px${dark ? ', dark' : ''}`);
        assert.equal(overflow, 0, `${width} px`);
      }
    }
  });
});

/** Logs until the page, whose stream opens some time after it is drawn, shows it. */
async function pushUntilShown(
  source: FakeSource,
  page: Page,
  text: string,
  wanted: string,
  pod = 'shop',
) {
  const push = () => source.log(pod, { container: 'web', time: new Date().toISOString(), text });
  const timer = setInterval(push, 100);
  try {
    await page.locator('.lines').getByText(wanted).first().waitFor();
  } finally {
    clearInterval(timer);
  }
}
