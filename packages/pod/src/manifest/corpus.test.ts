import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManifestError } from './manifest-error.ts';
import { CORPUS } from './testing/corpus.ts';
import { readWorkload } from './workload.ts';

const EMPTY_POD =
  '---\napiVersion: v1\nkind: Pod\nmetadata: {name: other-pod}\nspec: {containers: [{name: a, image: x}]}\n';

/** Finds faults; what is unsupported counts as refused only if an API server refuses the manifest, too. */
function faults(manifest: string, unsupported: 'refuse' | 'warn'): readonly string[] {
  try {
    const text = manifest + EMPTY_POD;
    readWorkload([{ name: 'm.yaml', text }], { unsupported, allowHost: true });
    return [];
  } catch (error) {
    if (error instanceof ManifestError) return error.faults;
    throw error;
  }
}

for (const [title, manifest, accepted] of CORPUS) {
  test(`${title} is ${accepted ? 'accepted' : 'refused'} by the rules of the API`, () => {
    const found = faults(manifest, accepted ? 'warn' : 'refuse');
    assert.equal(found.length === 0, accepted, found.join('\n') || 'no fault was found');
  });
}
