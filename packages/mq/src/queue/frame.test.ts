import assert from 'node:assert/strict';
import { test } from 'node:test';
import { propertyParameters } from '@sidekit/test-kit';
import fc from 'fast-check';
import {
  ACK_LENGTH,
  DATA_HEADER,
  decodeAck,
  encodeAck,
  FrameType,
  frameCount,
  frameType,
  readDataHeader,
  writeBatchHeader,
  writeDataHeader,
} from './frame.ts';

const stream = fc.stringMatching(/^[0-9a-f]{16}$/);
const sequence = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });

test('property: a data header is read as it was written, at any offset', () => {
  fc.assert(
    fc.property(
      fc.record({
        type: fc.constantFrom(FrameType.data, FrameType.end),
        count: fc.integer({ min: 0, max: 0xffff_ffff }),
        stream,
        sequence,
        back: fc.nat(1_000_000),
      }),
      fc.nat(50),
      ({ back, ...rest }, offset) => {
        const header = { ...rest, base: Math.max(0, rest.sequence - back) };
        const bytes = Buffer.alloc(offset + DATA_HEADER);
        writeDataHeader(bytes, offset, header);
        assert.equal(frameType(bytes, offset, DATA_HEADER), header.type);
        assert.deepEqual(readDataHeader(bytes, offset), header);
      },
    ),
    propertyParameters(300),
  );
});

test('property: an acknowledgement is read as it was written', () => {
  fc.assert(
    fc.property(
      fc.record({ stream, sequence, resume: fc.boolean() }, { noNullPrototype: true }),
      (ack) => {
        const bytes = encodeAck(ack);
        assert.equal(bytes.length, ACK_LENGTH);
        assert.deepEqual(decodeAck(bytes), ack);
      },
    ),
    propertyParameters(300),
  );
});

test('property: text is never taken for a frame', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 100 }), (text) => {
      const bytes = Buffer.from(text.replaceAll('\0', ''));
      assert.equal(frameType(bytes, 0, bytes.length), 0);
      assert.equal(decodeAck(bytes), undefined);
    }),
    propertyParameters(300),
  );
});

test('a frame that is cut short is plain', () => {
  const bytes = Buffer.alloc(DATA_HEADER);
  writeDataHeader(bytes, 0, {
    type: FrameType.data,
    count: 1,
    stream: '0'.repeat(16),
    sequence: 1,
    base: 1,
  });
  assert.equal(frameType(bytes, 0, DATA_HEADER - 1), 0);
  writeBatchHeader(bytes, 0, 7);
  assert.equal(frameType(bytes, 0, 8), FrameType.batch);
  assert.equal(frameCount(bytes, 0), 7);
});
