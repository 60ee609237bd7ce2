import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from '@sidekit/test-kit';
import { loadImages } from './load.ts';

/** Puts programs on the PATH that note how they were called. */
function recorder(context: test.TestContext) {
  const directory = temporaryDirectory('load');
  const bin = join(directory.path, 'bin');
  const record = join(directory.path, 'calls');
  mkdirSync(bin);
  writeFileSync(record, '');
  for (const name of ['podman', 'docker', 'kind', 'minikube', 'k3d', 'k3s']) {
    writeFileSync(join(bin, name), `#!/bin/sh\necho "${name} $*" >> ${record}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  const { PATH } = process.env;
  process.env.PATH = `${bin}${delimiter}${PATH}`;
  context.after(() => {
    process.env.PATH = PATH;
    directory.remove();
  });
  return () => readFileSync(record, 'utf8').trim().split('\n');
}

for (const [target, command] of [
  ['kind', /^kind load image-archive \S+\.tar$/],
  ['minikube', /^minikube image load \S+\.tar$/],
  ['k3d', /^k3d image import \S+\.tar$/],
  ['k3s', /^k3s ctr images import \S+\.tar$/],
] as const) {
  test(`an archive with the names of the manifests goes to ${target} by its own tool`, async (context) => {
    const calls = recorder(context);
    await loadImages('podman', ['sidekit/mq:1.0.0'], target);
    const [tag, save, load] = calls();
    assert.equal(tag, 'podman tag sidekit/mq:1.0.0 docker.io/sidekit/mq:1.0.0');
    assert.match(save ?? '', /^podman save -o \S+ --multi-image-archive docker\.io\/sidekit\/mq:1/);
    assert.match(load ?? '', command);
  });
}

test('a registry gets the images under its own name', async (context) => {
  const calls = recorder(context);
  await loadImages('docker', ['sidekit/mq:1.0.0'], 'registry.example.org/team');
  assert.deepEqual(calls(), [
    'docker tag sidekit/mq:1.0.0 registry.example.org/team/mq:1.0.0',
    'docker push registry.example.org/team/mq:1.0.0',
  ]);
});

test('a target that is neither a known cluster nor a registry is refused', async () => {
  for (const target of ['kindd', 'a b/c', ''])
    await assert.rejects(
      loadImages('docker', [], target),
      /is neither kind, minikube, k3d, k3s nor/,
    );
});
