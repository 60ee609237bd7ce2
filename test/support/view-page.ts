import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import { eventually } from '@sidekit/test-kit';
import { type Browser, chromium, type Page } from 'playwright-core';

const CHROMIUM = '/usr/bin/chromium';
const POD = 'node_modules/.bin/pod';
/** The page shows an event within so many milliseconds; more only while other work has the cores. */
const PROMPT = 500;
const BUSY = 10_000;

/** Why a test that needs a browser cannot run here; false if it can. */
export const withoutBrowser: string | false = existsSync(CHROMIUM) ? false : 'needs chromium';

export function startBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: CHROMIUM,
    timeout: 120_000,
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
  });
}

/** `pod view` with more words, opened in a browser. */
export async function openView(
  browser: Browser,
  env: NodeJS.ProcessEnv,
  words: readonly string[] = [],
) {
  const server = spawn(POD, ['view', ...words], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => server.once('close', resolve));
  let url = '';
  server.stdout.setEncoding('utf8').on('data', (text) => (url += text));
  await eventually(() => url.includes('\n'), { what: 'the URL of the page', interval: 200 });
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
export function shown(page: Page, selector: string, pattern: RegExp): Promise<number> {
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

/** The selector of a container's box in the picture of its Pod. */
export const box = (name: string) => `[data-box="container ${name}"]`;

/** Fails if the page showed an event late. */
export function assertPrompt(event: number, seen: number, what: string) {
  const lag = seen - event;
  const busy = (loadavg()[0] ?? 0) > availableParallelism();
  assert.ok(lag <= (busy ? BUSY : PROMPT), `${what} was shown after ${lag} ms`);
}
