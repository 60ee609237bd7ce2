import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from 'yaml';
import { injectionPolicy } from './support/injection/policy.ts';
import { SIDECARS } from './support/injection/sidecars.ts';

test('the policies are those of the components (npm run injection writes them)', () => {
  for (const sidecar of SIDECARS)
    assert.equal(
      readFileSync(`manifests/injection/${sidecar.name}.yaml`, 'utf8'),
      injectionPolicy(sidecar),
      sidecar.name,
    );
});

test('every component is injected too, and every file is in the kustomization', () => {
  const components = globSync('manifests/components/*/workload.yaml').map(
    (path) => path.split('/')[2],
  );
  assert.deepEqual(SIDECARS.map(({ name }) => name).toSorted(), components.toSorted());
  const { resources } = parse(readFileSync('manifests/injection/kustomization.yaml', 'utf8'));
  const files = globSync('*.yaml', { cwd: 'manifests/injection' });
  assert.deepEqual(
    resources.toSorted(),
    files.filter((file) => file !== 'kustomization.yaml').toSorted(),
  );
});

test('the validated settings are those that the policies read', () => {
  const text = readFileSync('manifests/injection/settings.yaml', 'utf8');
  const validated = [...text.matchAll(/"([a-z-]+\.sidekit\.dev\/[a-z]+)"/g)].map(([, key]) => key);
  const read = SIDECARS.flatMap(({ name, settings, mount, configMap }) =>
    [...settings.map(({ key }) => key), 'config', mount?.key ?? [], configMap ?? []]
      .flat()
      .map((key) => `${name}.sidekit.dev/${key}`),
  );
  assert.deepEqual([...new Set(validated)].toSorted(), read.toSorted());
});
