import assert from 'node:assert/strict';
import { test } from 'node:test';
import { temporaryDirectory } from '@sidekit/test-kit';
import { warmCodeCache } from './code-cache.ts';

const image = { name: 'x', title: 'X', warmUp: [] };
const WRITE = 'echo started >&2; : > "$SIDEKIT_WRITE_CODE_CACHE/bundle.cache"';

function warm(directory: string, script: string) {
  const command = ['/bin/sh', '-c', script];
  return warmCodeCache(image, directory, { command, directory, env: {} });
}

test('a runner that a signal ends after the cache was written has done its work', async () => {
  using directory = temporaryDirectory('warm');
  await warm(directory.path, `${WRITE}; kill -TERM $$`);
});

for (const [why, script] of [
  ['fails', `${WRITE}; exit 64`],
  ['is ended before it wrote the cache', 'echo started >&2; kill -TERM $$'],
  ['ends well without a cache', 'echo started >&2'],
] as const) {
  test(`a run that ${why} is an error with its log`, async () => {
    using directory = temporaryDirectory('warm');
    await assert.rejects(warm(directory.path, script), /warm-up run of x ended with .*\nstarted/s);
  });
}
