import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from 'yaml';
import { PLATFORMS } from '../images/architecture.ts';
import { IMAGES } from '../images/catalog.ts';

/** Compares the bake file, the Dockerfile, the catalogue and the workflows. */

const BAKE = 'images/docker-bake.hcl';
const bake = readFileSync(BAKE, 'utf8');
const platforms = Object.values(PLATFORMS).map((platform) => `linux/${platform}`);

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly with?: Readonly<Record<string, string>>;
}
interface Workflow {
  readonly permissions: unknown;
  readonly jobs: Readonly<
    Record<
      string,
      { readonly steps: Step[]; readonly permissions?: object; 'timeout-minutes': number }
    >
  >;
}
const workflows = new Map<string, Workflow>(
  globSync('.github/workflows/*.yml').map((path) => [path, parse(readFileSync(path, 'utf8'))]),
);
const steps = [...workflows].flatMap(([path, { jobs }]) =>
  Object.values(jobs).flatMap((job) => job.steps.map((step) => ({ path, ...step }))),
);

test('the release builds the images of the catalogue, under the same titles', () => {
  const block = /variable "IMAGES" \{\n {2}default = \{\n([\s\S]*?)\n {2}\}/.exec(bake)?.[1] ?? '';
  const built = [...block.matchAll(/^ +(\S+) += "(.*)"$/gm)];
  assert.deepEqual(
    Object.fromEntries(built.map(([, name = '', title = '']) => [name, title])),
    Object.fromEntries(IMAGES.map(({ name, title }) => [name, title])),
  );
});

test('the base is pinned by its digest', () => {
  const dockerfile = readFileSync('images/Dockerfile', 'utf8');
  assert.match(dockerfile, /^ARG BASE=\S+@sha256:[0-9a-f]{64}$/m);
});

test('buildx reads the bake file as meant', (context) => {
  const env = { VERSION: 'v1.2.3', REGISTRY: 'registry.example/sidekit', REVISION: 'abc' };
  const { error, status, stdout } = spawnSync('docker', ['buildx', 'bake', '-f', BAKE, '--print'], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  if (error || status !== 0) return context.skip('no docker buildx');
  const printed = stdout;
  const { target } = JSON.parse(printed);
  assert.deepEqual(Object.keys(target), IMAGES.map(({ name }) => name).toSorted());
  for (const { name, title } of IMAGES) {
    const one = target[name];
    assert.deepEqual(one.tags, [`registry.example/sidekit/${name}:1.2.3`]);
    assert.deepEqual(one.platforms, platforms);
    assert.equal(one.args.TITLE, title);
    assert.equal(one.args.VERSION, '1.2.3');
    assert.equal(one.labels['org.opencontainers.image.revision'], 'abc');
    // Newer buildx prints objects.
    const attest = JSON.stringify(one.attest);
    assert.match(attest, /sbom/);
    assert.match(attest, /provenance/);
  }
});

test('the release makes the bundles, bakes this file, and signs the result', () => {
  const release = workflows.get('.github/workflows/release.yml');
  const job = release?.jobs.images;
  const index = (holds: (step: Step) => boolean) => job?.steps.findIndex(holds) ?? -1;
  const bundles = index(({ run: text }) => text?.includes('--bundles-only') ?? false);
  const baking = index(({ with: inputs }) => inputs?.files === BAKE);
  const signing = index(({ run: text }) => text?.includes('cosign sign --yes') ?? false);
  assert.ok(
    0 <= bundles && bundles < baking && baking < signing,
    `${bundles} ${baking} ${signing}`,
  );
  const variables = [...bake.matchAll(/^variable "([A-Z]+)"/gm)].map(([, name = '']) => name);
  const given = { REGISTRY: '', ...job?.steps[baking]?.env };
  assert.deepEqual(
    Object.keys(given).toSorted(),
    variables.filter((v) => v !== 'IMAGES').toSorted(),
  );
  assert.deepEqual(job?.permissions, {
    contents: 'read',
    packages: 'write',
    'id-token': 'write',
    attestations: 'write',
  });
  for (const platform of platforms) assert.ok(bake.includes(`"${platform}"`), platform);
});

test('every action is pinned by its commit, one for all workflows, and named by its version', () => {
  const pins = new Map<string, string>();
  for (const path of workflows.keys()) {
    const uses = [...readFileSync(path, 'utf8').matchAll(/uses: (\S+)@(\S+)(.*)$/gm)];
    assert.ok(uses.length > 0, path);
    for (const [whole, action = '', commit = '', comment = ''] of uses) {
      assert.match(commit, /^[0-9a-f]{40}$/, `${path}: ${whole}`);
      assert.match(comment, /^ # v\d+\.\d+\.\d+$/, `${path}: ${whole}`);
      assert.equal(pins.get(action) ?? commit + comment, commit + comment, action);
      pins.set(action, commit + comment);
    }
  }
});

test('workflows call only scripts that there are, with little right and an end', () => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'));
  for (const { path, run: text = '' } of steps) {
    for (const [, name = ''] of text.matchAll(/npm run ([\w:-]+)/g)) {
      assert.ok(name in scripts, `${path} runs ${name}`);
    }
  }
  for (const [path, { permissions, jobs }] of workflows) {
    assert.deepEqual(permissions, { contents: 'read' }, path);
    for (const [name, job] of Object.entries(jobs)) {
      assert.ok(job['timeout-minutes'] > 0, `${path}: ${name}`);
    }
  }
});
