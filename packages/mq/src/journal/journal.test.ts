import assert from 'node:assert/strict';
import { appendFileSync, readdirSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { propertyParameters, temporaryDirectory } from '@sidekit/test-kit';
import fc from 'fast-check';
import { Journal } from './journal.ts';

const segments = (path: string) => readdirSync(path).filter((name) => name.endsWith('.log'));

test('what was appended and not acknowledged is pending after a restart', () => {
  using directory = temporaryDirectory();
  const first = new Journal(directory.path);
  assert.equal(first.append(Buffer.from('a\nb\n'), 2, 2), 1);
  assert.equal(first.append(Buffer.from('c\n'), 1, 3), 3);
  first.acknowledge(2);
  first.close();
  const second = new Journal(directory.path);
  assert.equal(second.stream, first.stream);
  assert.deepEqual([second.last, second.position, second.acknowledged], [3, 3, 2]);
  assert.deepEqual(
    [...second.pending()].map(({ sequence, lines }) => [sequence, String(lines)]),
    [[3, 'c\n']],
  );
  assert.equal(second.append(Buffer.from('done\n'), 1, 3, true), 4);
  assert.deepEqual([second.ended, second.complete], [true, false]);
  second.acknowledge(4);
  assert.equal(second.complete, true);
  second.close();
});

test('property: a journal cut at any byte keeps exactly the entries that are complete', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(fc.stringMatching(/^[a-z]{0,20}$/), { minLength: 1, maxLength: 5 }), {
        minLength: 1,
        maxLength: 8,
      }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (entries, part) => {
        using directory = temporaryDirectory();
        const journal = new Journal(directory.path);
        const ends: number[] = [];
        const path = join(directory.path, '0000000000000001.log');
        for (const [i, records] of entries.entries()) {
          const lines = Buffer.from(records.map((record) => `${record}\n`).join(''));
          journal.append(lines, records.length, i + 1);
          ends.push(statSync(path).size);
        }
        journal.close();
        const cut = Math.floor(part * ends.at(-1)!);
        truncateSync(path, cut);
        appendFileSync(path, '\0garbage');
        const again = new Journal(directory.path);
        const whole = ends.filter((end) => end <= cut).length;
        assert.equal(again.position, whole);
        assert.deepEqual(
          [...again.pending()].flatMap(({ lines }) => String(lines).split('\n').slice(0, -1)),
          entries.slice(0, whole).flat(),
        );
        again.append(Buffer.from('after\n'), 1, 99);
        assert.equal([...again.pending()].at(-1)?.lines.toString(), 'after\n');
        again.close();
      },
    ),
    propertyParameters(100),
  );
});

test('segments that are acknowledged are removed, and sequences continue after them', () => {
  using directory = temporaryDirectory();
  const journal = new Journal(directory.path);
  const large = Buffer.concat([Buffer.alloc(5 * 1024 * 1024, 'x'), Buffer.from('\n')]);
  for (let i = 1; i <= 5; i++) journal.append(large, 1, i);
  assert.equal(segments(directory.path).length, 3);
  journal.acknowledge(3);
  assert.equal(segments(directory.path).length, 2);
  journal.close();
  const again = new Journal(directory.path);
  assert.deepEqual(
    [...again.pending()].map(({ sequence }) => sequence),
    [4, 5],
  );
  again.acknowledge(5);
  assert.equal(again.append(Buffer.from('x\n'), 1, 6), 6);
  again.close();
});
