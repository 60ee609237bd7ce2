import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { eventually, TestProcess, testReadmeOptions } from '@sidekit/test-kit';
import { ExitCode } from '../errors.ts';
import { commonOptions, defineOptions, markdownTable } from '../options/index.ts';

const README = new URL('../../README.md', import.meta.url);
const text = readFileSync(README, 'utf8');

testReadmeOptions(
  README,
  markdownTable(
    defineOptions({ command: 'x', summary: 'x', prefix: 'X', options: commonOptions(':9900') }),
  ).replace('`:9900`', 'one of its own'),
);

test('the README names every exit code', () => {
  const named = [...text.matchAll(/^\| (\d+) +\|/gm)].map(([, code]) => Number(code));
  assert.deepEqual(named, Object.values(ExitCode));
});

test("the README's sidecar works as it stands", async () => {
  const program = /```ts\n([\s\S]*?)```/.exec(text)?.[1] ?? '';
  const cwd = fileURLToPath(new URL('../..', import.meta.url));
  await using ticker = new TestProcess(
    process.execPath,
    ['--input-type=module-typescript', '-e', program],
    { cwd, env: { TICKER_INTERVAL: '100ms', TICKER_ADMIN: '127.0.0.1:0' } },
  );
  await eventually(() => /^\d{4}-.*Z\n/.test(ticker.stdout), { what: `a line; ${ticker.stderr}` });
  ticker.kill('SIGTERM');
  assert.equal((await ticker.exited).code, 0, ticker.stderr);
});
