import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyPod } from '../engine/index.ts';

test('the application starts when the data is there, complete', async () => {
  await using session = await applyPod('data-loader');
  const { status } = await session.ready('data-loader');
  const [loader] = status.initContainerStatuses ?? [];
  assert.equal(loader?.state.terminated?.exitCode, 0);
  const { body } = await session.http('data-loader', 5000, '/products.json');
  assert.deepEqual(JSON.parse(body), [
    { name: 'coffee', price: 3 },
    { name: 'tea', price: 2 },
  ]);
});
