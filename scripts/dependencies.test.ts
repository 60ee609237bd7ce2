import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

const ADR = 'docs/decisions/0070-few-runtime-dependencies.md';

test('every runtime dependency is named with licence, users and reason in its decision', () => {
  const users = new Map<string, string[]>();
  for (const path of globSync('packages/*/package.json').toSorted()) {
    const { name, dependencies = {} } = JSON.parse(readFileSync(path, 'utf8'));
    for (const dependency of Object.keys(dependencies)) {
      if (dependency.startsWith('@sidekit/')) continue;
      users.set(dependency, [...(users.get(dependency) ?? []), name.replace('@sidekit/', '')]);
    }
  }
  const wanted = [...users].map(([name, packages]) => {
    const { license } = JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8'));
    return `${name}|${license}|${packages.join(', ')}`;
  });
  const rows = [
    ...readFileSync(ADR, 'utf8').matchAll(/^\| `(\S+)` +\| (\S+) +\| (.*?) +\| \S.*\|$/gm),
  ];
  const named = rows.map(
    ([, name, licence, by = '']) => `${name}|${licence}|${by.replaceAll('`', '')}`,
  );
  assert.deepEqual(named.toSorted(), wanted.toSorted());
});

test('every dependency has an exact version', () => {
  for (const path of ['package.json', ...globSync('packages/*/package.json')]) {
    const { dependencies = {}, devDependencies = {} } = JSON.parse(readFileSync(path, 'utf8'));
    for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) {
      assert.match(String(version), /^\d+\.\d+\.\d+$/, `${path}: ${name}`);
    }
  }
});
