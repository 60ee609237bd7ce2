import assert from 'node:assert/strict';
import { test } from 'node:test';
import { propertyParameters } from '@sidekit/test-kit';
import fc from 'fast-check';
import { Payload } from './batch.ts';
import { JsonOut, JsonText } from './json-out.ts';

/** Returns the same value as written as a whole, and in pieces. */
function bothWays(write: (out: JsonOut) => void): [whole: string, inPieces: string] {
  const [whole, inPieces] = [false, true].map((pieces) => {
    const payload = new Payload();
    write(new JsonOut().start(payload, pieces));
    return payload.bytes.toString('utf8');
  });
  return [whole!, inPieces!];
}

/** Text around the length of a piece, whose characters take one to six bytes in JSON. */
const long = fc
  .tuple(fc.constantFrom('\u0001', '"', 'x', 'é', '😀', '\\'), fc.integer({ min: 4080, max: 8210 }))
  .map(([unit, length]) => `x${unit.repeat(length)}`);
const raw = fc.constant((JSON as unknown as { rawJSON(text: string): unknown }).rawJSON('1e999'));
const leaf = fc.oneof(fc.string({ unit: 'grapheme' }), long, fc.double(), fc.boolean(), raw);
const values = fc.letrec((tie) => ({
  value: fc.oneof(
    { weight: 4, arbitrary: leaf },
    fc.constantFrom(null, undefined),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.oneof(fc.string({ unit: 'grapheme' }), long), tie('value'), { maxKeys: 4 }),
    tie('value').map((value) => new JsonText(value ?? null)),
  ),
})).value;

test('a value in pieces is what JSON.stringify writes, as JSON and as a string in JSON', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), values), (record) => {
      const [json, pieces] = bothWays((out) => out.value('[', record, ']'));
      assert.equal(pieces, json);
      const [text, textInPieces] = bothWays((out) => out.text('[', record, ']'));
      assert.equal(textInPieces, text);
    }),
    propertyParameters(200),
  );
});

test('a lone surrogate is noticed in a whole, and a pair is not', () => {
  for (const [text, expected] of [
    ['\ud800', true],
    ['😀', false],
  ] as const) {
    const out = new JsonOut().start(new Payload(), false);
    out.text('', { text }, '');
    assert.equal(out.isIllFormed, expected);
  }
});
