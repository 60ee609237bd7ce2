import assert from 'node:assert/strict';
import { test } from 'node:test';
import { propertyParameters } from '@sidekit/test-kit';
import fc from 'fast-check';
import { criEnvelope } from '../parse/cri.ts';
import type { Pattern } from '../parse/regex.ts';
import type { Generation } from '../tail/generation.ts';
import { LineFlag } from '../tail/line-splitter.ts';
import { Joiner, type JoinOptions } from './joiner.ts';

const rotated = {} as Generation;
const live = {} as Generation;
const START: Pattern = { test: (text: string) => !text.startsWith(' ') } as Pattern;

const line = fc.record({
  stream: fc.constantFrom('stdout', 'stderr'),
  more: fc.boolean(),
  message: fc.constantFrom('a', 'bb', ' c'),
});

/** A place in the lines of two files: those of the second begin at `split`. */
interface Place {
  readonly first: number;
  readonly second: number;
}

/** Reads lines from a place, as a run that ends at another one, and returns what is acknowledged. */
function read(
  lines: readonly string[],
  split: number,
  from: Place,
  to: number,
  options: JoinOptions,
) {
  const joiner = new Joiner(options);
  const records = new Map<number, string>();
  const emit = (text: string, offset: number, _flag: LineFlag, source: Generation) =>
    void records.set(source === rotated ? offset : split + offset, text);
  const rotatedTo = Math.min(to, split);
  for (let i = from.first; i < rotatedTo; i++) {
    joiner.add(rotated, lines[i]!, i, LineFlag.none, emit);
  }
  let first = joiner.heldFrom(rotated) ?? Math.max(from.first, rotatedTo);
  let second = from.second;
  if (to > split) {
    if (second === 0) joiner.move(rotated, live);
    for (let i = split + second; i < to; i++) {
      joiner.add(live, lines[i]!, i - split, LineFlag.none, emit);
    }
    second = joiner.heldFrom(live) ?? Math.max(second, to - split);
    if (second !== 0) first = split;
  }
  const flush = () => {
    joiner.flush(rotated, emit);
    joiner.flush(live, emit);
  };
  return { records, held: { first, second }, flush };
}

test('after a restart at any line, records that come again are the same, and none is missing, with or without a rotation', () => {
  fc.assert(
    fc.property(
      fc.array(line, { maxLength: 30 }),
      fc.nat(30),
      fc.nat(30),
      fc.option(fc.constant(START), { nil: undefined }),
      fc.constantFrom(3, 1000),
      (parts, crash, rotation, start, maxLines) => {
        const lines = parts.map(
          ({ stream, more, message }) =>
            `2026-11-26T10:00:00.000000000Z ${stream} ${more ? 'P' : 'F'} ${message}`,
        );
        const options = { start, envelope: criEnvelope, maxLines, maxSize: 1000 };
        const end = lines.length;
        const begin = { first: 0, second: 0 };
        const whole = read(lines, end, begin, end, options);
        whole.flush();
        const split = Math.min(rotation, end);
        const first = read(lines, split, begin, Math.min(crash, end), options);
        const second = read(lines, split, first.held, end, options);
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
