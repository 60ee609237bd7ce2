import assert from 'node:assert/strict';
import { test } from 'node:test';
import { propertyParameters } from '@sidekit/test-kit';
import fc from 'fast-check';
import { LineBlocks } from './line-blocks.ts';

test('property: all lines come out once and in order, however they are read', async () => {
  const line = fc.oneof(
    fc.stringMatching(/^[a-z]{0,30}$/),
    fc.constant(''),
    fc.nat(200_000).map((n) => 'x'.repeat(n)),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(line, { minLength: 1, maxLength: 30 }),
      fc.constantFrom('\n', '\r\n'),
      fc.boolean(),
      fc.integer({ min: 1, max: 100_000 }),
      async (lines, end, ended, chunk) => {
        const input = Buffer.from(lines.join(end) + (ended ? end : ''));
        const blocks = await LineBlocks.create({ name: 'x', longest: 1024, position: 7 });
        const found: string[] = [];
        let position = 7;
        const drain = () => {
          for (let block = blocks.next(); block; block = blocks.next()) {
            const text = block.slab.bytes.toString('utf8', block.start, block.end);
            found.push(...text.split('\n').slice(0, -1));
            assert.equal(block.count, text.split('\n').length - 1);
            ({ position } = block);
          }
        };
        for (let at = 0; at < input.length; ) {
          drain();
          const copied = input.copy(blocks.room(), 0, at, at + chunk);
          blocks.filled(copied);
          at += copied;
        }
        drain();
        blocks.finish();
        drain();
        const wanted = ended || lines.at(-1) !== '' ? lines : lines.slice(0, -1);
        assert.deepEqual(found, wanted);
        assert.equal(position, 7 + input.length + (ended || lines.at(-1) === '' ? 0 : 1));
      },
    ),
    propertyParameters(60),
  );
});

test('a block has at most 16,384 lines, and those after it come in the next', async () => {
  const blocks = await LineBlocks.create({ name: 'x', longest: 1024 });
  const count = blocks.room().fill('\n').length;
  blocks.filled(count);
  let lines = 0;
  for (let block = blocks.next(); block; block = blocks.next()) {
    assert.ok(block.count <= 16_384);
    lines += block.count;
  }
  assert.equal(lines, count);
});
