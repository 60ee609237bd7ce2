import assert from 'node:assert/strict';
import {
  appendFileSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { propertyParameters, temporaryDirectory } from '@sidekit/test-kit';
import fc from 'fast-check';
import { Journal } from './journal.ts';

const open = (directory: string, delivered = 0) =>
  Journal.open({ directory, delivered: () => delivered });

const segments = (path: string) => readdirSync(path).filter((name) => name.endsWith('.log'));

test('what was appended and not acknowledged is pending after a restart', async () => {
  using directory = temporaryDirectory();
  const first = await open(directory.path);
  assert.equal(first.append(Buffer.from('a\nb\n'), 2, 2), 1);
  assert.equal(first.append(Buffer.from('c\n'), 1, 3), 3);
  first.acknowledge(2);
  first.close();
  const second = await open(directory.path);
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

test('property: a journal cut at any byte keeps exactly the entries that are complete', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(fc.stringMatching(/^[a-z]{0,20}$/), { minLength: 1, maxLength: 5 }), {
        minLength: 1,
        maxLength: 8,
      }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      async (entries, part) => {
        using directory = temporaryDirectory();
        const journal = await open(directory.path);
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
        const again = await open(directory.path);
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

test('segments that are acknowledged are removed, and sequences continue after them', async () => {
  using directory = temporaryDirectory();
  const journal = await open(directory.path);
  const large = Buffer.concat([Buffer.alloc(5 * 1024 * 1024, 'x'), Buffer.from('\n')]);
  for (let i = 1; i <= 5; i++) journal.append(large, 1, i);
  assert.equal(segments(directory.path).length, 3);
  journal.acknowledge(3);
  assert.equal(segments(directory.path).length, 2);
  journal.close();
  const again = await open(directory.path);
  assert.deepEqual(
    [...again.pending()].map(({ sequence }) => sequence),
    [4, 5],
  );
  again.acknowledge(5);
  assert.equal(again.append(Buffer.from('x\n'), 1, 6), 6);
  again.close();
});

/**
 * Reads a journal as the consumer does, which has `received` records of `stream`.
 * @returns the records that are new to it.
 */
function* newRecords(journal: Journal, stream: string, received: number): Generator<string> {
  let last = Math.max(journal.stream === stream ? received : 0, journal.acknowledged);
  for (const entry of journal.pending()) {
    assert.ok(entry.sequence <= last + 1, 'a gap stops the consumer for ever');
    const records = String(entry.lines).split('\n').slice(0, -1);
    assert.equal(records.length, entry.count);
    yield* records.slice(last + 1 - entry.sequence);
    last = Math.max(last, entry.sequence + entry.count - 1);
  }
}

test('records before a segment of which nothing is readable stay pending', async () => {
  using directory = temporaryDirectory();
  const first = await open(directory.path);
  const long = 'x'.repeat(8 * 1024 * 1024 + 1);
  first.append(Buffer.from(`${long}\n`), 1, 1);
  first.append(Buffer.from('damaged\n'), 1, 2);
  first.close();
  assert.equal(segments(directory.path).length, 2);
  const path = join(directory.path, segments(directory.path).at(-1)!);
  const bytes = readFileSync(path);
  bytes[bytes.length - 2]! ^= 1;
  writeFileSync(path, bytes);
  for (let start = 0; start < 2; start++) {
    const journal = await open(directory.path);
    assert.deepEqual(
      [...journal.pending()].map(({ lines }) => lines.length),
      [long.length + 1],
    );
    journal.close();
  }
});

test('property: whatever is cut, flipped or removed, what is intact and what is accepted later arrives', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 8 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.nat(40),
      fc.nat(40),
      fc.constantFrom('cut', 'flip', 'log removed', 'mark removed', 'both removed', 'nothing'),
      fc.boolean(),
      async (counts, part, acknowledging, delivering, damage, distrusted) => {
        using directory = temporaryDirectory();
        const first = await open(directory.path);
        const path = join(directory.path, '0000000000000001.log');
        let total = 0;
        const ends: { end: number; last: number }[] = [];
        for (const count of counts) {
          const records = Array.from({ length: count }, (_, i) => `${total + i + 1}\n`);
          first.append(Buffer.from(records.join('')), count, 0);
          total += count;
          ends.push({ end: statSync(path).size, last: total });
        }
        const acknowledged = Math.min(acknowledging, total);
        const delivered = Math.min(Math.max(delivering, acknowledged), total);
        first.acknowledge(acknowledged);
        if (distrusted) first.distrust();
        const { stream } = first;
        first.close();
        let intact = total;
        let hit = { from: 0, to: 0, noticed: false };
        if (damage === 'cut') {
          const cut = Math.floor(part * (ends.at(-1)?.end ?? 0));
          truncateSync(path, cut);
          intact = ends.findLast(({ end }) => end <= cut)?.last ?? 0;
        }
        if (damage === 'flip') {
          const bytes = readFileSync(path);
          const at = Math.min(Math.floor(part * bytes.length), bytes.length - 1);
          bytes[at]! ^= 1 + (acknowledging % 255);
          writeFileSync(path, bytes);
          const i = ends.findIndex(({ end }) => end > at);
          const start = ends[i - 1]?.end ?? 0;
          hit = { from: (ends[i - 1]?.last ?? 0) + 1, to: ends[i]!.last, noticed: true };
          // The last entry with another length is like one that is not written completely.
          if (at - start >= 8 && at - start < 12) hit.noticed = i < ends.length - 1;
        }
        if (damage.endsWith('removed')) {
          if (damage !== 'mark removed') rmSync(path);
          if (damage !== 'log removed') rmSync(join(directory.path, 'mark'));
          if (damage !== 'mark removed') intact = 0;
        }
        // A second start must not make it worse.
        for (let i = 0; i < 2; i++) {
          const again = await Journal.open({
            directory: directory.path,
            delivered: (one) => (one === stream ? delivered : 0),
          });
          if (i === 0 && hit.noticed && hit.to > acknowledged) assert.ok(again.damage, 'silence');
          if (i === 0) again.append(Buffer.from('after\n'), 1, 0);
          else assert.equal(again.damage, undefined);
          const found = [...newRecords(again, stream, delivered)];
          const wanted = Array.from({ length: intact }, (_, k) => `${k + 1}`).slice(delivered);
          const isHit = (one: string) => Number(one) >= hit.from && Number(one) <= hit.to;
          const missing = wanted.filter((one) => !found.includes(one) && !isHit(one));
          assert.deepEqual(missing, []);
          assert.equal(found.at(-1), 'after');
          again.close();
        }
      },
    ),
    propertyParameters(150),
  );
});

test('a file continues at the acknowledged position when the log was removed', async () => {
  using directory = temporaryDirectory();
  const first = await open(directory.path);
  first.append(Buffer.from('a\n'), 1, 2);
  first.append(Buffer.from('b\n'), 1, 4);
  first.acknowledge(1);
  first.close();
  rmSync(join(directory.path, '0000000000000001.log'));
  const second = await open(directory.path, 2);
  assert.match(second.damage ?? '', /its records were removed/);
  assert.notEqual(second.stream, first.stream);
  assert.deepEqual([second.position, second.complete], [2, false]);
  second.close();
});

test('a second producer is refused while the first has the journal', async () => {
  using directory = temporaryDirectory();
  const first = await open(directory.path);
  await assert.rejects(open(directory.path), /another producer has the journal .* open/);
  first.close();
  (await open(directory.path)).close();
});
