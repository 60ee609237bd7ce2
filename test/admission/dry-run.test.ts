import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { dirname } from 'node:path';
import { after, before, test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { podTemplates } from '../../scripts/support/pod-security/templates.ts';
import { must } from '../engine/command.ts';
import { TestNamespace } from '../engine/namespace.ts';

/** Asks the API server for its verdict, in a namespace that enforces *restricted*; nothing is kept. */
const APPLY = ['apply', '--dry-run=server'];

let namespace: TestNamespace;
before(async () => {
  namespace = await TestNamespace.create();
});
after(() => namespace?.[Symbol.asyncDispose]());

/** Fails unless all was taken, without a warning of Pod Security. */
async function assertTaken(args: readonly string[], input?: string) {
  const { code, stdout, stderr } = await namespace.kubectl([...APPLY, ...args], input);
  assert.equal(code, 0, stderr);
  assert.doesNotMatch(stderr, /would violate PodSecurity/);
  assert.match(stdout, /\(server dry run\)/);
}

test('the namespace refuses a Pod that is not restricted, and warns of a workload', async () => {
  const spec = { containers: [{ name: 'app', image: 'example.org/app:1' }] };
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'bare' }, spec };
  const refused = await namespace.kubectl([...APPLY, '-f', '-'], JSON.stringify(pod));
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /violates PodSecurity "restricted/);
  const labels = { app: 'bare' };
  const deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'bare' },
    spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
  };
  const warned = await namespace.kubectl([...APPLY, '-f', '-'], JSON.stringify(deployment));
  assert.match(warned.stderr, /would violate PodSecurity "restricted/);
});

for (const path of globSync('manifests/pods/*.yaml').toSorted()) {
  test(`${path} is taken in a namespace that enforces restricted`, () => assertTaken(['-f', path]));
}

for (const path of globSync('manifests/examples/*/kustomization.yaml').toSorted()) {
  const directory = dirname(path);
  test(`${directory} is taken in a namespace that enforces restricted`, () =>
    assertTaken(['-k', directory]));

  test(`the Pods of ${directory} are taken, as its controllers will make them`, async () => {
    const rendered = parseAllDocuments(await must('kubectl', ['kustomize', directory]));
    const pods = rendered
      .flatMap((document) => podTemplates(document.toJS()))
      .map(({ metadata, spec }, i) => ({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { ...metadata, name: `pod-${i}` },
        spec,
      }));
    assert.ok(pods.length > 0, 'it has workloads');
    const list = { apiVersion: 'v1', kind: 'List', items: pods };
    await assertTaken(['-f', '-'], JSON.stringify(list));
  });
}
