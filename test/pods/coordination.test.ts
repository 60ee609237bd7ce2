import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '@sidekit/test-kit';
import { applyPod } from '../engine/index.ts';

test('the application starts after the files of the writer are there, and says so in its own', async () => {
  await using session = await applyPod('coordination');
  const { status } = await session.ready('coordination');
  const waiting = status.initContainerStatuses?.find(({ name }) => name === 'await-writer');
  assert.equal(waiting?.state.terminated?.exitCode, 0);
  const log = await session.finalLog('coordination', 'await-writer');
  assert.match(log, /file:\/shared\/ready: there/);
  assert.match(log, /file:\/shared\/writer\.json: there/);
  for (const name of ['writer', 'app']) {
    // The health file follows the health, so a moment later.
    await eventually(
      async () => {
        const { body } = await session.http('coordination', 5000, `/${name}.json`);
        return JSON.parse(body).ready.status === 'ok';
      },
      { what: `${name}.json says ready` },
    );
  }
});
