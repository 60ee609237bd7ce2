import assert from 'node:assert/strict';
import { test } from 'node:test';
import { propertyParameters } from '@sidekit/test-kit';
import fc from 'fast-check';
import { blockSize as sourceBlockSize } from '../source/line-blocks.ts';
import { Block, blockSize } from './block.ts';

/** The kernel's hard limit of fs.mqueue.msgsize_max (mq_overview(7)), in bytes. */
const LARGEST = 16 * 1024 * 1024;
const size = fc.oneof(fc.integer({ min: 1, max: LARGEST }), fc.integer({ min: 1, max: 300_000 }));

test('property: a message of any legal size fits into an empty block, of bounded size', () => {
  fc.assert(
    fc.property(size, fc.nat(1000), (msgsize, prefix) => {
      const bytes = blockSize(msgsize, prefix);
      const block = new Block({ length: bytes } as Buffer, Buffer.alloc(prefix));
      assert.ok(block.fits(msgsize));
      assert.ok(bytes <= Math.max(256 * 1024, msgsize + prefix + 1 + 1024 * 1024));
    }),
    propertyParameters(500),
  );
});

test('property: a line of any legal length fits into a block of a source, with its line end', () => {
  fc.assert(
    fc.property(size, (longest) => assert.ok(sourceBlockSize(longest) >= longest + 2)),
    propertyParameters(500),
  );
});

test('lines are added with their prefix until they do not fit', () => {
  const block = new Block(Buffer.alloc(10), Buffer.from('> '));
  const lines = Buffer.from('ab\ncde\n');
  assert.equal(block.add(lines, 0, 3), true);
  assert.equal(block.add(lines, 3, 7), false);
  assert.equal(block.bytes.toString('utf8', 0, block.end), '> ab\n');
  block.bytes.write('xy', block.next);
  block.close(block.next + 2);
  assert.equal(block.bytes.toString('utf8', 0, block.end), '> ab\n> xy\n');
});
