import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { until } from '@sidekit/test-kit';
import { parse, stringify } from 'yaml';
import { command, must } from '../engine/command.ts';
import { lifecyclePod } from './lifecycle-pod.ts';

const { POD_ENGINE: engine = 'podman' } = process.env;
const POD = 'node_modules/.bin/pod';

/** What an engine has of ours or may have made for us, by name. */
async function inventory(directory: string): Promise<string[]> {
  const list = async (...words: string[]) =>
    (await must(engine, words)).split('\n').filter(Boolean);
  const label = `label=dev.sidekit.pod.store=${directory}`;
  return [
    ...(await list('ps', '-aq', '--filter', label)),
    ...(await list('volume', 'ls', '-q')),
    ...(await list('network', 'ls', '-q')),
    ...readdirSync(join(directory, 'pods')),
    ...readdirSync(tmpdir()).filter((name) => /^lc-(fifty|killed)/.test(name)),
    ...volumeFolders(),
  ];
}

function volumeFolders(): string[] {
  try {
    return readdirSync(join(tmpdir(), `sidekit-pod-${process.getuid?.() ?? 0}-volumes`)).filter(
      (name) => /^lc-(fifty|killed)/.test(name),
    );
  } catch {
    return [];
  }
}

/** A folder for the state of this test alone, and the command with it. */
function ownStore() {
  const directory = mkdtempSync(join(tmpdir(), 'sidekit-store-'));
  const env = { ...process.env, SIDEKIT_POD_DIR: directory };
  const pod = (...words: string[]) => must(POD, words, { env, timeout: 300_000 });
  return { directory, pod, env };
}

const local = engine === 'kube' ? test.skip : test;

local('fifty Pods up and down leave nothing behind', async () => {
  const { directory, pod } = ownStore();
  const [podManifest, toolbox = ''] = lifecyclePod(
    'lc-fifty',
    'containers: [{name: a, run: a}]',
  ).split('---\n');
  const { spec } = parse(podManifest ?? '');
  const deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'lc-fifty' },
    spec: {
      replicas: 10,
      selector: { matchLabels: { app: 'fifty' } },
      template: { metadata: { labels: { app: 'fifty' } }, spec },
    },
  };
  const path = join(directory, 'fifty.yaml');
  writeFileSync(path, [stringify(deployment), toolbox].join('---\n'));
  await pod('ps');
  const before = await inventory(directory);
  for (let round = 0; round < 5; round++) {
    await pod('up', path, '--timeout', '120s');
    assert.equal(JSON.parse(await pod('ps', '-o', 'json')).items.length, 10);
    await pod('down', '--all');
  }
  assert.deepEqual(await inventory(directory), before);
  rmSync(directory, { recursive: true });
});

local('a supervisor that was killed is shown, and its Pod is removed by down', async () => {
  const { directory, pod } = ownStore();
  const path = join(directory, 'killed.yaml');
  writeFileSync(path, lifecyclePod('lc-killed', 'containers: [{name: a, run: a}]'));
  await pod('ps');
  const before = await inventory(directory);
  await pod('up', path);
  process.kill(Number(await must('cat', [join(directory, 'pods/lc-killed/pid')])), 'SIGKILL');
  await until(async () => (await pod('ps')).includes('Unsupervised'), { what: 'Unsupervised' });
  await pod('down', 'lc-killed');
  assert.deepEqual(await inventory(directory), before);
  rmSync(directory, { recursive: true });
});

local('Ctrl-C before the Pod is Ready ends it and leaves nothing', async () => {
  const { directory, pod, env } = ownStore();
  const path = join(directory, 'killed.yaml');
  const spec = 'containers: [{name: a, run: a, readinessProbe: {tcpSocket: {port: 9}}}]';
  writeFileSync(path, lifecyclePod('lc-killed', spec));
  await pod('ps');
  const before = await inventory(directory);
  const { spawn } = await import('node:child_process');
  const up = spawn(POD, ['up', path], { env, stdio: 'ignore' });
  const ended = new Promise((resolve) => up.once('close', resolve));
  await until(async () => (await pod('ps')).includes('Running'), {
    what: 'the Pod runs',
    timeout: 60_000,
  });
  up.kill('SIGINT');
  assert.equal(await ended, 130);
  assert.deepEqual(await inventory(directory), before);
  rmSync(directory, { recursive: true });
});

local('a wrong manifest starts nothing and exits with 64', async () => {
  const { directory, env } = ownStore();
  const manifest =
    'apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {containers: [{name: a}]}\n';
  const { code, stderr } = await command(POD, ['up', '-'], { env, input: manifest });
  assert.equal(code, 64);
  assert.match(stderr, /^stdin:4:\d+: Pod x: spec\.containers\[0\]\.image: required\n/);
  assert.deepEqual(readdirSync(join(directory, 'pods')), []);
  rmSync(directory, { recursive: true });
});
