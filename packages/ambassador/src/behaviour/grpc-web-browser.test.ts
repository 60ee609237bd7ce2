import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { freePort, startProgram } from '@sidekit/test-kit';
import { chromium } from 'playwright-core';
import { TestProxy } from '../testing/proxy.ts';

const CHROMIUM = '/usr/bin/chromium';
const WEBAPP = new URL('../../../webapp/src/main.ts', import.meta.url);

test("Chromium calls a gRPC service through the ambassador, by the demo's page", {
  skip: existsSync(CHROMIUM) ? false : 'needs chromium',
  timeout: 240_000,
}, async () => {
  const port = await freePort();
  await using webapp = startProgram(WEBAPP, [
    ...['--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0', '--grpc-listen', `127.0.0.1:${port}`],
  ]);
  const { address } = await webapp.event('listening');
  await using proxy = await TestProxy.start({
    upstream: [`http://127.0.0.1:${(address as { port: number }).port}`],
    routes: [{ prefix: '/demo.Echo', upstream: [`h2c://127.0.0.1:${port}`] }],
  });
  await using browser = await chromium.launch({
    executablePath: CHROMIUM,
    timeout: 120_000,
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
  });
  const page = await browser.newPage();
  await page.goto(`${proxy.url}/grpc`);
  const shown = async (last: string) => {
    const output = page.locator('#out', { hasText: last });
    return (await output.textContent())?.trim().split('\n');
  };
  await page.fill('#text', 'grüße');
  await page.click('#say');
  assert.deepEqual(await shown('Say: grpc-status'), ['Say: grüße', 'Say: grpc-status 0']);
  await page.click('#count');
  const lines = await shown('Count: grpc-status');
  assert.deepEqual(lines?.slice(2), [
    ...['1', '2', '3', '4', '5'].map((number) => `Count: ${number}`),
    'Count: grpc-status 0',
  ]);
});
