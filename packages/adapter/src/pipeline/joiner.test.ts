import assert from 'node:assert/strict';
import { test } from 'node:test';
import { propertyParameters } from '@sidekit/test-kit';
import fc from 'fast-check';
import { criEnvelope } from '../parse/cri.ts';
import type { Pattern } from '../parse/regex.ts';
import type { Generation } from '../tail/generation.ts';
import { LineFlag } from '../tail/line-splitter.ts';
import { Joiner, type JoinOptions } from './joiner.ts';

const generation = {} as Generation;
const START: Pattern = { test: (text: string) => !text.startsWith(' ') } as Pattern;

const line = fc.record({
  stream: fc.constantFrom('stdout', 'stderr'),
  more: fc.boolean(),
  message: fc.constantFrom('a', 'bb', ' c'),
});

/** Reads lines from an offset, which is their number, as a run that ends at another one. */
function read(lines: readonly string[], from: number, to: number, options: JoinOptions) {
  const joiner = new Joiner(options);
  const records = new Map<number, string>();
  const emit = (text: string, offset: number) => void records.set(offset, text);
  for (let i = from; i < to; i++) joiner.add(generation, lines[i]!, i, LineFlag.none, emit);
  const held = joiner.heldFrom(generation) ?? to;
  return { records, held, flush: () => joiner.flush(generation, emit) };
}

test('after a restart at any line, records that come again are the same, and none is missing', () => {
  fc.assert(
    fc.property(
      fc.array(line, { maxLength: 30 }),
      fc.nat(30),
      fc.option(fc.constant(START), { nil: undefined }),
      fc.constantFrom(3, 1000),
      (parts, crash, start, maxLines) => {
        const lines = parts.map(
          ({ stream, more, message }) =>
            `2026-11-26T10:00:00.000000000Z ${stream} ${more ? 'P' : 'F'} ${message}`,
        );
        const options = { start, envelope: criEnvelope, maxLines, maxSize: 1000 };
        const whole = read(lines, 0, lines.length, options);
        whole.flush();
        const first = read(lines, 0, Math.min(crash, lines.length), options);
        const second = read(lines, first.held, lines.length, options);
        second.flush();
        for (const [offset, text] of second.records) {
          assert.equal(text, whole.records.get(offset), `the record at ${offset}`);
        }
        assert.deepEqual(
          new Set([...first.records.keys(), ...second.records.keys()]),
          new Set(whole.records.keys()),
        );
      },
    ),
    propertyParameters(500),
  );
});
