import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Unwritable } from '../store/unwritable.ts';
import { ensurePodmanService } from './podman-service.ts';

test('a folder that cannot be written is named with the remedy', async () => {
  await assert.rejects(ensurePodmanService('/proc/none/podman'), (error: unknown) => {
    assert.ok(error instanceof Unwritable);
    assert.match(error.message, /^\/proc\/none cannot be written: .*; free space there, or set/);
    return true;
  });
});
