import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { basename } from 'node:path';
import { test } from 'node:test';

test('every manifest has a Pod test, and every Pod test a manifest', () => {
  const manifests = globSync('manifests/pods/*.yaml').map((path) => basename(path, '.yaml'));
  const tests = globSync('test/pods/*.test.ts').map((path) => basename(path, '.test.ts'));
  assert.deepEqual(tests.toSorted(), manifests.toSorted());
});
