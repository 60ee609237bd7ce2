import assert from 'node:assert/strict';
import { test } from 'node:test';
import { propertyParameters } from '@sidekit/test-kit';
import fc from 'fast-check';
import { FrameScanner, TOO_LARGE } from './frame-scanner.ts';

const message = (flag: number, size: number) => {
  const bytes = Buffer.alloc(5 + size, 0x80);
  bytes[0] = flag;
  bytes.writeUInt32BE(size, 1);
  return bytes;
};

test('messages are followed over any cut into pieces', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(1), fc.nat(40)), { maxLength: 8 }),
      fc.array(fc.nat(300), { maxLength: 10 }),
      (messages, cuts) => {
        const bytes = Buffer.concat(messages.map(([flag, size]) => message(flag, size)));
        const ends = [...cuts.map((cut) => Math.min(cut, bytes.length)), bytes.length];
        const boundaries = new Set([0]);
        let sum = 0;
        for (const [, size] of messages) {
          sum += 5 + size;
          boundaries.add(sum);
        }
        const scanner = new FrameScanner(40);
        let at = 0;
        for (const end of ends.toSorted((a, b) => a - b)) {
          assert.equal(scanner.scan(bytes, at, end), undefined);
          assert.equal(scanner.atBoundary, boundaries.has(end));
          at = end;
        }
      },
    ),
    propertyParameters(500),
  );
});

test('unknown flags and messages that are too large are refused by their prefix', () => {
  for (const flag of [2, 3, 0x80, 0x81, 0xff])
    assert.match(String(new FrameScanner(9).scan(message(flag, 0), 0, 1)), /unknown flag/);
  assert.equal(new FrameScanner(9).scan(message(0, 10), 0, 5), TOO_LARGE);
  assert.equal(
    new FrameScanner(2 ** 32).scan(Buffer.from([0, 255, 255, 255, 255]), 0, 5),
    undefined,
  );
});
