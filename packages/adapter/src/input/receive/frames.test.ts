import assert from 'node:assert/strict';
import { test } from 'node:test';
import { propertyParameters } from '@sidekit/test-kit';
import fc from 'fast-check';
import { Frames } from './frames.ts';

/** Pushes chunks and returns the messages, with `…` after those that were cut. */
function messagesOf(chunks: readonly (string | Uint8Array)[], limit = 1000, counted = true) {
  const messages: string[] = [];
  const frames = new Frames({
    limit,
    counted,
    onMessage: (message, cut) => {
      messages.push(`${Buffer.from(message).toString('latin1')}${cut ? '…' : ''}`);
    },
  });
  const readable = chunks.every((chunk) => frames.push(Buffer.from(chunk)));
  return { messages, readable, complete: readable && frames.end() };
}

test('both framings are read, in one stream too', () => {
  const { messages, complete } = messagesOf(['11 <1>one\nmore<2>two\r\n4 <3>x<4>nul\x00<5>end']);
  assert.deepEqual(messages, ['<1>one\nmore', '<2>two', '<3>x', '<4>nul', '<5>end']);
  assert.equal(complete, true);
});

test('a line that begins with digits is a line', () => {
  assert.deepEqual(messagesOf(['2026-11-26 plain\n12:00 x\n7']).messages, [
    ...['2026-11-26 plain', '12:00 x', '7'],
  ]);
  assert.deepEqual(messagesOf(['7 {"a":1}\n'], 1000, false).messages, ['7 {"a":1}']);
});

test('a count of more than seven digits ends the stream', () => {
  assert.equal(messagesOf(['10000000 x']).readable, false);
  assert.equal(messagesOf(['99999999999999999999999999']).readable, false);
});

test('an incomplete counted message is known at the end', () => {
  const { messages, complete } = messagesOf(['5 <1>x\n5 <1>']);
  assert.deepEqual(messages, ['<1>x']);
  assert.equal(complete, false);
});

test('messages of any kind arrive the same, however they are framed and cut into chunks', () => {
  const message = fc
    .uint8Array({ minLength: 0, maxLength: 60 })
    .map((bytes) => Buffer.concat([Buffer.from('<'), bytes]).toString('latin1'));
  const frame = fc.tuple(message, fc.constantFrom('counted', 'lf', 'nul'));
  fc.assert(
    fc.property(fc.array(frame), fc.integer({ min: 1, max: 20 }), (frames, size) => {
      const expected: string[] = [];
      let stream = '';
      for (const [text, framing] of frames) {
        const valid = framing === 'counted' ? text : text.replace(/[\n\0]/g, '.');
        stream += framing === 'counted' ? `${valid.length} ${valid}` : valid;
        if (framing !== 'counted') stream += framing === 'lf' ? '\n' : '\0';
        const whole = valid.replace(/[\n\r\0]+$/, '');
        expected.push(whole.length > 40 ? `${valid.slice(0, 40)}…` : whole);
      }
      const bytes = Buffer.from(stream, 'latin1');
      const chunks = [];
      for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size));
      const { messages, complete } = messagesOf(chunks, 40);
      // What is cut may have had its end in what was left out.
      const plain = (texts: string[]) => texts.map((text) => text.replace(/[\n\r\0]*…?$/, ''));
      assert.deepEqual(plain(messages), plain(expected));
      assert.ok(messages.every((text) => text.length <= 41));
      assert.equal(complete, true);
    }),
    propertyParameters(300),
  );
});
