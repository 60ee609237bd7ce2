/**
 * `npm run media`: makes the README's recording and pictures in docs/media from the real thing, a
 * Pod in real containers and the page of `pod view` in Chromium.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';
import { ensureDebianPackages } from './support/debian.ts';
import { findEngine } from './support/engine.ts';
import { buildImages } from './support/images/build.ts';
import { heading, step } from './support/output.ts';
import { run } from './support/run.ts';
import { TerminalRecording } from './support/terminal-recording.ts';

const POD = 'everything';
const MANIFEST = `manifests/pods/${POD}.yaml`;
const PROGRAM = 'node_modules/.bin/pod';
const COLUMNS = 88;
const SIZE = { width: 1280, height: 1020 };

export async function main(): Promise<number> {
  const engine = await findEngine(process.env.POD_ENGINE);
  await ensureDebianPackages(['chromium', 'fonts-dejavu-core'], 'screenshots');
  heading(`Images (${engine.name})`);
  await buildImages(engine);
  heading('Media');
  mkdirSync('docs/media', { recursive: true });
  const environment = { ...process.env, POD_ENGINE: engine.name, NO_COLOR: '1' };
  const recording = new TerminalRecording(environment);
  try {
    await step('docs/media/pod-up.svg', async () => {
      await recording.run(`npx pod up ${MANIFEST}`, PROGRAM, ['up', MANIFEST]);
      await recording.run(`npx pod explain ${POD}`, PROGRAM, ['explain', POD]);
      writeFileSync('docs/media/pod-up.svg', recording.toSvg('pod up and pod explain', COLUMNS));
    });
    for (const scheme of ['light', 'dark'] as const) {
      await step(`docs/media/view-${scheme}.png`, () => screenshot(scheme, environment));
    }
  } finally {
    await run(PROGRAM, ['down', '-f', MANIFEST], { env: { POD_ENGINE: engine.name } });
  }
  return 0;
}

/** Photographs the page of `pod view` as it shows the running Pod. */
async function screenshot(scheme: 'light' | 'dark', env: NodeJS.ProcessEnv): Promise<void> {
  const server = spawn(PROGRAM, ['view'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const [url] = (await once(createInterface({ input: server.stdout }), 'line')) as [string];
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  });
  try {
    const page = await browser.newPage({ viewport: SIZE, colorScheme: scheme });
    await page.goto(url);
    await page.locator('.lines .line').first().waitFor();
    await page.locator('.arrows path').last().waitFor({ state: 'attached' });
    await page.screenshot({ path: `docs/media/view-${scheme}.png` });
  } finally {
    await browser.close();
    server.kill();
    await once(server, 'close');
  }
}
