import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { propertyParameters } from '@sidekit/test-kit';
import fc from 'fast-check';
import { Sha256 } from './sha256.ts';

const expected = (content: Uint8Array) => createHash('sha256').update(content).digest('hex');

/** Hashes in a new process, in which OpenSSL is not loaded yet. */
function elsewhere(sizes: readonly number[]): string {
  const program = `
    const { Sha256 } = await import(${JSON.stringify(new URL('./sha256.ts', import.meta.url).href)});
    for (const size of ${JSON.stringify(sizes)}) {
      console.log(new Sha256().update(Buffer.alloc(size, 'x')).update('é').digest());
    }`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program]);
  assert.equal(String(stderr), '');
  return String(stdout);
}

test('property: the hash is that of OpenSSL, whatever the chunks are', () => {
  const chunk = fc.oneof(
    fc.uint8Array({ maxLength: 150 }),
    fc.string({ unit: fc.constantFrom('a', 'é', '中') }),
  );
  fc.assert(
    fc.property(fc.array(chunk, { maxLength: 6 }), (chunks) => {
      const hash = new Sha256();
      for (const one of chunks) hash.update(one);
      const bytes = chunks.map((one) => (typeof one === 'string' ? Buffer.from(one) : one));
      assert.equal(hash.digest(), expected(Buffer.concat(bytes)));
    }),
    propertyParameters(50),
  );
});

test('content that grows beyond the limit, and what follows it, has the right hash', () => {
  const sizes = [0, 1, 55, 56, 64, 65_534, 65_535, 65_536, 200_000, 10];
  const wanted = sizes.map((size) => expected(Buffer.from(`${'x'.repeat(size)}é`)));
  assert.deepEqual(elsewhere(sizes).trim().split('\n'), wanted);
});

test('a text may have one character per byte', () => {
  assert.equal(new Sha256().update('\xe9', 'latin1').digest(), expected(Buffer.from([0xe9])));
});

test('bytes that were added may be used again', () => {
  const buffer = Buffer.from('before');
  const hash = new Sha256().update(buffer);
  buffer.fill('x');
  assert.equal(hash.digest(), expected(Buffer.from('before')));
});
