import assert from 'node:assert/strict';
import { test } from 'node:test';
import { propertyParameters } from '@sidekit/test-kit';
import fc from 'fast-check';
import { longestLine, readLine, writeLine } from './spool-line.ts';

const AT = 1_795_000_000_000;

test('any message is one line, and is read as it was', () => {
  const piece = fc.oneof(
    fc.string({ maxLength: 8 }),
    fc.constantFrom('\u00fc', '\u{1f600}', '\ufffd', '\u2028'),
    fc.constantFrom('\\', '\n', '\r', '\0', '\\!', '!', '\\n', ' ', '\\'.repeat(99)),
  );
  const message = fc.array(piece).map((pieces) => pieces.join('').toWellFormed());
  fc.assert(
    fc.property(message, fc.boolean(), (text, cut) => {
      const bytes = Buffer.from(text);
      const out = Buffer.alloc(longestLine(bytes.length));
      const end = writeLine(Buffer.from(`${AT} `), bytes, cut, out, 0);
      const line = out.toString('utf8', 0, end - 1);
      assert.equal(out[end - 1], 0x0a);
      assert.doesNotMatch(line, /[\n\r\0]/);
      assert.deepEqual(readLine(line), { at: AT, message: text, cut });
    }),
    propertyParameters(100),
  );
});

test('a damaged line is a message of its own', () => {
  assert.deepEqual(readLine('torn'), { at: Number.NaN, message: 'torn', cut: false });
  assert.deepEqual(readLine(''), { at: Number.NaN, message: '', cut: false });
  assert.equal(readLine('1795000000000 end\\').message, 'end\\');
});
