import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { type PodTemplate, podSecurityFaults } from './support/pod-security/rules.ts';
import { podTemplates } from './support/pod-security/templates.ts';

function templatesOf(path: string): PodTemplate[] {
  return parseAllDocuments(readFileSync(path, 'utf8')).flatMap((one) => podTemplates(one.toJS()));
}

for (const path of globSync('manifests/{pods,cluster,examples/*}/*.yaml').toSorted()) {
  const templates = templatesOf(path);
  if (templates.length === 0) continue;
  test(`${path} passes Pod Security restricted`, () => {
    assert.deepEqual(templates.flatMap(podSecurityFaults), []);
  });
}

// Together with the examples above this holds for what is rendered from both: a patch adds
// containers and volumes, and changes none of the workload's own.
for (const path of globSync('manifests/components/*/*.yaml').toSorted()) {
  const templates = templatesOf(path);
  if (templates.length === 0) continue;
  test(`${path} passes Pod Security restricted without help of the workload's own settings`, () => {
    for (const template of templates) {
      assert.equal(template.spec.securityContext, undefined, 'the Pod is the workload’s');
      assert.deepEqual(podSecurityFaults(template), []);
    }
  });
}
