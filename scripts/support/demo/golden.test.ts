import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { before, describe, test } from 'node:test';
import { TestProcess, temporaryDirectory } from '@sidekit/test-kit';
import { demoNames } from './demo.ts';
import { masked } from './testing/mask.ts';

/**
 * The whole demo in real containers, with its faults on stage: what it prints for each Pod is the
 * text in golden/, with all that varies masked. SIDEKIT_UPDATE=1 writes those texts.
 */
const skip = process.env.SIDEKIT_LONG !== '1' && 'it takes minutes: npm run test:long -- golden';
const UPDATE = process.env.SIDEKIT_UPDATE === '1';

describe('npm run demo', { skip }, () => {
  const told = new Map<string, string>();
  before(
    async () => {
      using store = temporaryDirectory('demo');
      const own = { SIDEKIT_POD_DIR: store.path, COLUMNS: '100', NO_COLOR: '1' };
      const env = { ...process.env, ...own } as Record<string, string>;
      await using demo = new TestProcess(process.execPath, ['scripts/run-task.ts', 'demo'], {
        env,
      });
      const { code } = await demo.exited;
      assert.equal(code, 0, demo.stdout + demo.stderr);
      // Each Pod begins with its name alone on a line, after an empty one.
      for (const block of demo.stdout.split('\n\n')) {
        const [name = '', ...lines] = block.trim().split('\n');
        if (demoNames().includes(name)) told.set(name, masked(lines));
      }
    },
    { timeout: 1_200_000 },
  );

  for (const name of demoNames()) {
    test(`tells of ${name} what it did before`, () => {
      const file = new URL(`./golden/${name}.txt`, import.meta.url);
      const text = told.get(name) ?? '';
      if (UPDATE) writeFileSync(file, text);
      assert.equal(text, readFileSync(file, 'utf8'));
    });
  }
});
