import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { command } from '../engine/command.ts';
import { renderFiles } from './render.ts';

/** Natural mistakes with components: each is refused with a sentence that names the fix. */

const KUSTOMIZATION = 'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n';
const COMPONENT = 'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n';

function orders({ labels = '', namespace = '', mounts = '' } = {}): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata: { name: orders, labels: { app: orders${labels} }${namespace} }
spec:
  selector: { matchLabels: { app: orders } }
  template:
    metadata: { labels: { app: orders } }
    spec:
      containers: [{ name: orders, image: "sidekit/webapp:0.1.0", volumeMounts: [${mounts}] }]
`;
}

function settings(component: string, ...literals: string[]): string {
  const generator = [{ name: `sidekit-${component}`, behavior: 'merge', literals }];
  return `${COMPONENT}configMapGenerator: ${JSON.stringify(generator)}\n`;
}

/** Renders the files and hands them to `pod up`, which reads all before it starts any. */
async function podUp(files: Readonly<Record<string, string>>) {
  const directory = mkdtempSync(join(tmpdir(), 'sidekit-mistakes-'));
  try {
    return await command('node_modules/.bin/pod', ['up', '-', '--timeout', '1ms'], {
      input: await renderFiles(files),
      env: { ...process.env, SIDEKIT_POD_DIR: directory },
    });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function assertRefused(files: Readonly<Record<string, string>>, sentence: RegExp) {
  const { code, stdout, stderr } = await podUp(files);
  assert.equal(code, 64, stdout + stderr);
  assert.match(stderr, sentence);
}

const label = ', sidekit.dev/ambassador: "true"';
const did =
  /the component did nothing: give the workload itself .* the label sidekit\.dev\/ambassador/;

test('a component without a label on any workload', () =>
  assertRefused(
    {
      'kustomization.yaml': `${KUSTOMIZATION}resources: [orders.yaml]\ncomponents: [COMPONENTS/ambassador]\n`,
      'orders.yaml': orders(),
    },
    did,
  ));

for (const [how, transformer] of [
  ['labels:', 'labels: [{ pairs: { sidekit.dev/ambassador: "true" } }]'],
  [
    'a patch',
    `patches: [{ target: { kind: Deployment }, patch: '[{"op":"add","path":"/metadata/labels/sidekit.dev~1ambassador","value":"true"}]' }]`,
  ],
  [
    'a patch of the Pod template',
    `patches: [{ target: { kind: Deployment }, patch: '[{"op":"add","path":"/spec/template/metadata/labels/sidekit.dev~1ambassador","value":"true"}]' }]`,
  ],
] as const) {
  test(`a label that comes too late, by ${how}`, () =>
    assertRefused(
      {
        'kustomization.yaml': `${KUSTOMIZATION}resources: [orders.yaml]\ncomponents: [COMPONENTS/ambassador]\n${transformer}\n`,
        'orders.yaml': orders(),
      },
      did,
    ));
}

test('the label from a component that is listed before works', async () => {
  const patch = [{ op: 'add', path: '/metadata/labels/sidekit.dev~1ambassador', value: 'true' }];
  const patches = [{ target: { kind: 'Deployment' }, patch: JSON.stringify(patch) }];
  const rendered = await renderFiles({
    'kustomization.yaml': `${KUSTOMIZATION}resources: [orders.yaml]\ncomponents: [label, COMPONENTS/ambassador]\n`,
    'label/kustomization.yaml': `${COMPONENT}patches: ${JSON.stringify(patches)}\n`,
    'orders.yaml': orders(),
  });
  assert.match(rendered, /name: sidekit-ambassador\n/);
});

test('a namespace that only the base has', () =>
  assertRefused(
    {
      'kustomization.yaml': `${KUSTOMIZATION}resources: [base]\ncomponents: [COMPONENTS/ambassador]\n`,
      'base/kustomization.yaml': `${KUSTOMIZATION}namespace: shop\nresources: [orders.yaml]\n`,
      'base/orders.yaml': orders({ labels: label }),
    },
    /write namespace: shop into the kustomization\.yaml that lists the component/,
  ));

test('a mounted volume of a component that did nothing', () =>
  assertRefused(
    {
      'kustomization.yaml': `${KUSTOMIZATION}resources: [orders.yaml]\ncomponents: [COMPONENTS/file-writer]\n`,
      'orders.yaml': orders({ mounts: '{ name: sidekit-files, mountPath: /srv }' }),
    },
    /the component did nothing: give the workload itself .* the label sidekit\.dev\/file-writer/,
  ));

test('the component port makes the container’s port that of AMBASSADOR_LISTEN', async () => {
  const rendered = await renderFiles({
    'kustomization.yaml': `${KUSTOMIZATION}resources: [orders.yaml]\ncomponents: [COMPONENTS/ambassador, settings, COMPONENTS/ambassador/port]\n`,
    'settings/kustomization.yaml': settings('ambassador', 'AMBASSADOR_LISTEN=:8081'),
    'orders.yaml': orders({ labels: label }),
  });
  assert.match(rendered, /name: AMBASSADOR_EXPOSED\n +value: "8081"/);
  assert.match(rendered, /- containerPort: 8081\n +name: ambassador/);
});
