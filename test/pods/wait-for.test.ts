import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyPod } from '../engine/index.ts';

test('the application starts only after both Services answered, one after the other', async () => {
  await using session = await applyPod('wait-for');
  const { status } = await session.ready('myapp-pod');
  assert.equal(status.phase, 'Running');
  for (const init of status.initContainerStatuses ?? []) {
    assert.equal(init.state.terminated?.exitCode, 0, init.name);
  }
  assert.match(await session.finalLog('myapp-pod', 'init-myservice'), /tcp:myservice:8080: there/);
  assert.match(await session.finalLog('myapp-pod', 'init-mydb'), /tcp:mydb:5432: there/);
  const { status: code, body } = await session.http('myapp-pod', 5000, '/');
  assert.equal(code, 200);
  assert.match(body, /Hello from/);
});
