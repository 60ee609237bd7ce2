import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { test } from 'node:test';
import { KindCluster, NODE_IMAGES } from './kind-cluster.ts';

/** Puts programs on the PATH that note how they were called; `failing` ones exit 1. */
function recorder(context: test.TestContext, failing: readonly string[] = []) {
  const directory = mkdtempSync(join(tmpdir(), 'sidekit-kind-'));
  const programs = join(directory, 'bin');
  const record = join(directory, 'calls');
  mkdirSync(programs);
  writeFileSync(record, '');
  for (const name of ['kind', 'kubectl', 'docker', 'podman']) {
    const code = failing.includes(name) ? 1 : 0;
    const script = `#!/bin/sh\necho "${name} $*" >> ${record}\necho said by ${name}\nexit ${code}\n`;
    writeFileSync(join(programs, name), script);
    chmodSync(join(programs, name), 0o755);
  }
  const { PATH } = process.env;
  process.env.PATH = `${programs}${delimiter}${PATH}`;
  context.after(() => {
    process.env.PATH = PATH;
  });
  return { directory, calls: () => readFileSync(record, 'utf8').trim().split('\n') };
}

test('every node image is pinned by its digest and is of the minor it is listed under', () => {
  for (const [minor, image] of Object.entries(NODE_IMAGES)) {
    assert.match(image, new RegExp(`^kindest/node:v${minor}\\.\\d+@sha256:[0-9a-f]{64}$`));
  }
  assert.equal(Object.keys(NODE_IMAGES).length, 3);
});

test('images built by Podman are loaded under the names that manifests use', async (context) => {
  const { directory, calls } = recorder(context);
  const cluster = new KindCluster({ engine: 'podman', directory });
  await cluster.load(['sidekit/mq:1.0.0']);
  const [tag, save, load] = calls();
  assert.equal(tag, 'podman tag sidekit/mq:1.0.0 docker.io/sidekit/mq:1.0.0');
  assert.match(save ?? '', /^podman save -o \S+ --multi-image-archive docker\.io\/sidekit\/mq:1/);
  assert.match(load ?? '', new RegExp(`^kind load image-archive \\S+ --name ${cluster.name}$`));
});

test('evidence is saved even where neither kubectl nor kind answers', async (context) => {
  const { directory } = recorder(context, ['kind', 'kubectl']);
  const cluster = new KindCluster({ engine: 'docker', directory });
  await cluster.saveEvidence();
  assert.match(readFileSync(join(cluster.evidence, 'export-error.txt'), 'utf8'), /said by/);
  assert.ok(
    !existsSync(join(cluster.evidence, 'events.txt')),
    'without a cluster kubectl is not asked',
  );
});

test('evidence is readable for everyone', async (context) => {
  const { directory } = recorder(context);
  const cluster = new KindCluster({ engine: 'docker', directory });
  writeFileSync(cluster.kubeconfig, '');
  mkdirSync(join(cluster.evidence, 'node'), { recursive: true });
  writeFileSync(join(cluster.evidence, 'node/kubelet.log'), 'x', { mode: 0o640 });
  await cluster.saveEvidence();
  assert.match(readFileSync(join(cluster.evidence, 'events.txt'), 'utf8'), /said by kubectl/);
  assert.equal(statSync(join(cluster.evidence, 'node/kubelet.log')).mode & 0o777, 0o644);
});

test('a Podman that may not raise limits gets a configuration with its own', async (context) => {
  const { directory, calls } = recorder(context);
  const runFlags = ['--ulimit=nofile=4096:4096'];
  const cluster = new KindCluster({ engine: 'podman', directory, runFlags, config: 'kind.yaml' });
  await cluster.create('node:1');
  const file = join(directory, 'containers.conf');
  assert.match(readFileSync(file, 'utf8'), /default_ulimits = \["nofile=4096:4096"\]/);
  assert.match(calls()[0] ?? '', /--image node:1 --config kind\.yaml --retain/);
});

test('only the cluster that was made is deleted, with its kubeconfig', async (context) => {
  const { directory, calls } = recorder(context);
  const cluster = new KindCluster({ engine: 'docker', directory });
  writeFileSync(cluster.kubeconfig, '');
  await cluster.delete();
  assert.deepEqual(calls(), [`kind delete cluster --name ${cluster.name}`]);
  assert.ok(!existsSync(cluster.kubeconfig));
});
