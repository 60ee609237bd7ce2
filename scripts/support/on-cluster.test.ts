import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { eventually, startProgram, temporaryDirectory } from '@sidekit/test-kit';

const FIXTURE = new URL('./fixtures/cluster-run.ts', import.meta.url);

/** Programs that note how they are called; `bodies` says what else each does. */
function programs(directory: string, bodies: Readonly<Record<string, string>> = {}) {
  const bin = join(directory, 'bin');
  const record = join(directory, 'calls');
  mkdirSync(bin);
  writeFileSync(record, '');
  for (const name of ['kind', 'kubectl', 'docker', 'podman', 'suite']) {
    const note = `echo "${name} $*" >> ${record}`;
    writeFileSync(join(bin, name), `#!/bin/sh\n${note}\n${bodies[name] ?? ''}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  const calls = () =>
    readFileSync(record, 'utf8')
      .split('\n')
      .map((line) => line.trim())
      .filter(Boolean);
  /** Returns the commands given to kind, without the names of the cluster and of files. */
  const verbs = () =>
    calls()
      .filter((call) => call.startsWith('kind '))
      .map((call) => call.split(' ').slice(1, 3).join(' '));
  return { path: `${bin}${delimiter}${process.env.PATH}`, calls, verbs };
}

function start(directory: string, PATH: string, engine = 'docker', env = {}) {
  const work = join(directory, 'work');
  return startProgram(FIXTURE, [engine, work, 'suite'], { env: { PATH, ...env } });
}

/** Whether logs and events were kept. */
function evidence(directory: string): boolean {
  return readdirSync(join(directory, 'work')).some((name) => name.endsWith('-evidence'));
}

for (const engine of ['docker', 'podman']) {
  test(`with ${engine}: the cluster is made, given the images, used, and deleted`, async () => {
    using directory = temporaryDirectory('kind');
    const { path, calls, verbs } = programs(directory.path);
    await using program = start(directory.path, path, engine);
    assert.equal((await program.exited).code, 0, program.stderr + program.stdout);
    assert.deepEqual(verbs(), ['create cluster', 'load image-archive', 'delete cluster']);
    assert.match(calls().join('\n'), /kind create cluster --image kindest\/node:v1\.36\S+@sha256/);
    assert.ok(calls().some((call) => call.startsWith(`${engine} save `)));
    assert.ok(calls().includes('suite'));
    assert.ok(!evidence(directory.path));
  });
}

test('a suite that fails leaves evidence, and no cluster', async () => {
  using directory = temporaryDirectory('kind');
  const { path, verbs } = programs(directory.path, { suite: 'echo broken; exit 3' });
  await using program = start(directory.path, path);
  assert.equal((await program.exited).code, 1);
  assert.match(program.stderr, /suite .*ended with 3:\nbroken/);
  assert.deepEqual(verbs().slice(2), ['export logs', 'delete cluster']);
  assert.ok(evidence(directory.path));
});

test('a cluster that could not be made is deleted all the same', async () => {
  using directory = temporaryDirectory('kind');
  const fails = 'case "$1" in create) echo no such image; exit 1;; esac';
  const { path, verbs, calls } = programs(directory.path, { kind: fails });
  await using program = start(directory.path, path);
  assert.equal((await program.exited).code, 1);
  assert.match(program.stderr, /no such image/);
  assert.equal(verbs().at(-1), 'delete cluster');
  assert.ok(!calls().includes('suite'));
});

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  test(`${signal} ends the suite and deletes the cluster`, async () => {
    using directory = temporaryDirectory('kind');
    const { path, calls, verbs } = programs(directory.path, { suite: 'exec sleep 60' });
    await using program = start(directory.path, path);
    await eventually(() => calls().includes('suite'), { what: `the suite: ${program.stderr}` });
    program.kill(signal);
    assert.equal((await program.exited).code, code, program.stderr);
    assert.equal(verbs().at(-1), 'delete cluster');
  });
}

test('a signal while the cluster is made begins no suite', async () => {
  using directory = temporaryDirectory('kind');
  const slow = 'case "$1" in create) exec sleep 60;; esac';
  const { path, calls, verbs } = programs(directory.path, { kind: slow });
  await using program = start(directory.path, path);
  await eventually(() => verbs().includes('create cluster'), { what: 'kind create' });
  program.kill('SIGTERM');
  assert.equal((await program.exited).code, 143, program.stderr);
  assert.deepEqual(verbs(), ['create cluster', 'delete cluster']);
  assert.ok(!calls().includes('suite'));
});

test('another signal does not keep the cluster from being deleted', async () => {
  using directory = temporaryDirectory('kind');
  const go = join(directory.path, 'go');
  const deleted = join(directory.path, 'deleted');
  const slow = `case "$1" in delete) until [ -e ${go} ]; do sleep 0.05; done; : > ${deleted};; esac`;
  const { path, verbs } = programs(directory.path, { kind: slow });
  await using program = start(directory.path, path);
  await eventually(() => verbs().includes('delete cluster'), { what: 'kind delete' });
  program.kill('SIGTERM');
  await eventually(() => program.stdout.includes('being deleted'), { what: 'the answer' });
  writeFileSync(go, '');
  assert.equal((await program.exited).code, 0, program.stderr);
  assert.ok(existsSync(deleted));
});

test('a cluster that cannot be deleted is named, with the command that deletes it', async () => {
  using directory = temporaryDirectory('kind');
  const { path } = programs(directory.path, { kind: 'case "$1" in delete) exit 1;; esac' });
  await using program = start(directory.path, path, 'podman');
  assert.equal((await program.exited).code, 1);
  assert.match(
    program.stderr,
    /KIND_EXPERIMENTAL_PROVIDER=podman kind delete cluster --name sidekit-\d+/,
  );
});

test('a kept cluster is left, and how to reach it is said', async () => {
  using directory = temporaryDirectory('kind');
  const { path, verbs } = programs(directory.path);
  await using program = start(directory.path, path, 'docker', { KEEP: '1' });
  assert.equal((await program.exited).code, 0);
  assert.ok(!verbs().includes('delete cluster'));
  assert.match(program.stdout, /KUBECONFIG=\S+\.kubeconfig kubectl/);
  assert.match(program.stdout, /delete it: .* kind delete cluster --name sidekit-\d+/);
});

test('npm run kind names all that it does not find, before it builds anything', async () => {
  using directory = temporaryDirectory('kind');
  const bin = join(directory.path, 'bin');
  mkdirSync(bin);
  const task = fileURLToPath(new URL('../run-task.ts', import.meta.url));
  await using program = startProgram(task, ['kind'], { env: { PATH: bin } });
  assert.equal((await program.exited).code, 1);
  assert.match(program.stderr, /install what is missing:\n {2}kind: https.*\n {2}kubectl: https/);
  assert.equal(program.stdout, '');
});

test('a Kubernetes without a pinned node is bad usage', async () => {
  const task = fileURLToPath(new URL('../run-task.ts', import.meta.url));
  await using program = startProgram(task, ['kind', '--kubernetes', '1.2']);
  assert.equal((await program.exited).code, 64);
  assert.match(program.stderr, /1\.2 has no pinned node: use 1\.36, 1\.35, 1\.34/);
});
