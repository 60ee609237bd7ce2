import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManifestError } from './manifest-error.ts';
import { CORPUS, recordedVerdicts } from './testing/corpus.ts';
import { readWorkload } from './workload.ts';

const EMPTY_POD =
  '---\napiVersion: v1\nkind: Pod\nmetadata: {name: other-pod}\nspec: {containers: [{name: a, image: x}]}\n';

/**
 * Manifests that an API server accepts and `pod` refuses on purpose, because nothing would run, or
 * run as it is written; each with the refusal.
 */
const STRICTER: Readonly<Record<string, RegExp>> = {
  // A kubelet starts such a container never, or over and over.
  'a memory of half a byte': /must be at least 6Mi: engines refuse less/,
  'a postStart hook over TCP': /postStart: needs exactly one handler/,
  // A dry run allocates no port; a real request for one out of the range is refused.
  'a NodePort out of its range': /nodePort: 80 must be 30000–32767/,
  'a node port that is no port': /nodePort: 65536 must be 30000–32767/,
  // Nothing would run.
  'a Job of no completions': /spec\.completions: 0 must be 1–100/,
};

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

const { server, verdicts } = recordedVerdicts();

test('each manifest has a title of its own, and a recorded verdict', () => {
  const titles = CORPUS.map(([title]) => title);
  assert.deepEqual(titles.toSorted(), Object.keys(verdicts).toSorted());
});

for (const [title, manifest] of CORPUS) {
  const { accepted, reason } = verdicts[title] ?? {};
  const stricter = STRICTER[title];
  if (stricter) {
    test(`${title} is refused on purpose, unlike by an API server ${server}`, () => {
      assert.equal(accepted, true);
      assert.match(faults(manifest, 'warn').join('\n'), stricter);
    });
    continue;
  }
  test(`${title} is ${accepted ? 'accepted' : 'refused'}, as by an API server ${server}`, () => {
    // Pods for Windows are unsupported, which would hide the reason that the server has.
    const found = faults(manifest, accepted || manifest.includes('os: {') ? 'warn' : 'refuse');
    assert.equal(found.length === 0, accepted, found.join('\n') || `not refused: ${reason}`);
  });
}
