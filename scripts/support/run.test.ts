import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run } from './run.ts';

test('a command that is ended by its timeout has failed, also if it exits with 0', async () => {
  const script = 'sleep 60 >/dev/null 2>&1 & trap "kill $!; exit 0" TERM; wait';
  await assert.rejects(run('sh', ['-c', script], { timeout: 2_000 }), /ended after 2000 ms/);
});
