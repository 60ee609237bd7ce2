import assert from 'node:assert/strict';
import { test } from 'node:test';
import { propertyParameters } from '@sidekit/test-kit';
import fc from 'fast-check';
import { ManifestError } from './manifest-error.ts';
import { CORPUS } from './testing/corpus.ts';
import { readWorkload } from './workload.ts';

/** Reads a manifest, which ends with a workload or with faults: everything else is thrown. */
function read(text: string): readonly string[] {
  try {
    readWorkload([{ name: 'm.yaml', text }], { unsupported: 'warn', allowHost: true });
    return [];
  } catch (error) {
    if (error instanceof ManifestError) return error.faults;
    throw error;
  }
}

const SHORT = CORPUS.map(([, manifest]) => manifest).filter((text) => text.length < 2000);

const WORDS = [
  ...['null', '[]', '{}', '-1', '0400', 'yes', '"x"', '*a', '&a', '<<: *a', '!!binary x', '!x'],
  ...['__proto__', 'constructor', 'toString', '../..', '\0', '{{', ']]', '- -', ': :', '---\n'],
];

test('a manifest with words of its own put anywhere ends with objects or faults', () => {
  const edits = fc.array(fc.tuple(fc.nat(), fc.nat(20), fc.constantFrom(...WORDS)), {
    minLength: 1,
    maxLength: 4,
  });
  fc.assert(
    fc.property(fc.constantFrom(...SHORT), edits, (manifest, list) => {
      let text = manifest;
      for (const [place, length, word] of list) {
        const at = place % text.length;
        text = text.slice(0, at) + word + text.slice(at + length);
      }
      assert.ok(read(text).every((fault) => fault.startsWith('m.yaml')));
    }),
    propertyParameters(400),
  );
});

test('any data in the place of any field ends with objects or faults', () => {
  const value = fc.jsonValue({ maxDepth: 4 });
  const kinds = fc.constantFrom('Pod', 'Deployment', 'Job', 'Secret', 'Service', 'List', 'x');
  const object = fc.record({
    kind: kinds,
    apiVersion: fc.constantFrom('v1', 'apps/v1'),
    metadata: value,
    spec: value,
    data: value,
    items: value,
  });
  fc.assert(
    fc.property(object, (one) => {
      read(JSON.stringify(one));
    }),
    propertyParameters(400),
  );
});

test('what is nested too deeply, or unfolds without end, is a fault', () => {
  // Whether the recursive reader reaches its limit depends on its compiled code; the fault does not.
  for (const deep of [300, 3000, 20_000]) {
    const faults = read(`a: ${'['.repeat(deep)}${']'.repeat(deep)}`);
    assert.equal(faults.length, 1, `${deep}: ${faults}`);
    assert.match(faults.join(), /is nested too deeply/);
  }
  const bomb = Array.from({ length: 12 }, (_, i) => `a${i}: &a${i} [${`*a${i - 1},`.repeat(9)}]`);
  bomb[0] = 'a0: &a0 [x, x, x, x, x, x, x, x, x]';
  assert.match(read(bomb.join('\n')).join(), /alias|kind/);
});
