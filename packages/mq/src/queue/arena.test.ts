import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Slab } from '@sidekit/posix-mq';
import { propertyParameters } from '@sidekit/test-kit';
import fc from 'fast-check';
import { Arena, arenaSize } from './arena.ts';

test('property: allocated messages never overlap, and an empty arena takes any message', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 1, max: 64 }),
      fc.array(fc.record({ length: fc.integer({ min: 1, max: 64 }), free: fc.nat(3) }), {
        maxLength: 60,
      }),
      (maxmsgs, msgsize, steps) => {
        const length = arenaSize(maxmsgs, msgsize);
        const arena = new Arena({ length } as Slab);
        const used: { at: number; length: number }[] = [];
        for (const step of steps) {
          used.splice(0, step.free);
          arena.freeBefore(used[0]?.at);
          const size = Math.min(step.length, msgsize);
          const at = arena.allocate(size);
          if (at === -1) {
            assert.ok(used.length > 0, 'an empty arena has room');
            continue;
          }
          assert.ok(at + size <= length);
          for (const other of used) {
            assert.ok(at + size <= other.at || other.at + other.length <= at);
          }
          used.push({ at, length: size });
        }
      },
    ),
    propertyParameters(500),
  );
});

test('the memory in flight is bounded, but has room for one message', () => {
  assert.equal(arenaSize(10, 1024), 10_241);
  assert.equal(arenaSize(65_536, 8192), 4 * 1024 * 1024 + 1);
  assert.equal(arenaSize(1, 16 * 1024 * 1024), 16 * 1024 * 1024 + 1);
});
