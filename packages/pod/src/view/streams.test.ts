import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '@sidekit/test-kit';
import fc from 'fast-check';
import { splitDocuments } from './json-stream.ts';
import { LogBatches } from './log-batches.ts';
import { splitLines } from './log-lines.ts';
import { parseMetrics } from './metrics.ts';
import type { LogBatch } from './model.ts';

/** Cuts a text into pieces at the given places. */
function pieces(text: string, cuts: readonly number[]): string[] {
  const places = [0, ...cuts.map((cut) => cut % (text.length + 1)), text.length];
  places.sort((a, b) => a - b);
  return places.slice(1).map((end, i) => text.slice(places[i], end));
}

const cuts = fc.array(fc.nat());

test('a stream of JSON objects is split at their ends, however it is cut into chunks', () => {
  fc.assert(
    fc.property(fc.array(fc.dictionary(fc.string(), fc.jsonValue())), cuts, (objects, places) => {
      const text = objects.map((one) => JSON.stringify(one, null, 2)).join('\n');
      const seen: unknown[] = [];
      const feed = splitDocuments((document) => seen.push(JSON.parse(document)));
      for (const piece of pieces(text, places)) feed(piece);
      assert.deepEqual(seen, JSON.parse(JSON.stringify(objects)));
    }),
    { seed: 18 },
  );
});

test('lines come out as they went in, and a line of any length costs bounded memory', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: fc.constantFrom('a', 'é', ' ') })),
      cuts,
      (lines, places) => {
        const seen: string[] = [];
        const feed = splitLines((line) => seen.push(line));
        for (const piece of pieces(lines.map((line) => `${line}\n`).join(''), places)) feed(piece);
        assert.deepEqual(seen, lines);
      },
    ),
    { seed: 18 },
  );
  const seen: string[] = [];
  const feed = splitLines((line) => seen.push(line));
  for (let i = 0; i < 1000; i++) feed('x'.repeat(10_000));
  feed('\nnext\n');
  assert.equal(seen[0]?.length, 16_384 + ' … (cut)'.length);
  assert.equal(seen[1], 'next');
});

test('a flood of log lines becomes bounded batches that say how many were skipped', async () => {
  const sent: LogBatch[] = [];
  const batches = new LogBatches((batch) => sent.push(batch));
  for (let i = 0; i < 5000; i++) batches.add({ container: 'c', time: '', text: `${i}` });
  await eventually(() => sent.length > 0, { what: 'a batch' });
  batches.close();
  assert.equal(sent[0]?.lines.length, 1000);
  assert.equal(sent[0]?.skipped, 4000);
});

test('metrics are summed over their series, and what is not metrics is passed over', () => {
  const text = `# HELP x y
http_server_request_duration_seconds_count{http_response_status_code="200"} 3
http_server_request_duration_seconds_count{http_response_status_code="503"} 2
mq_queue_depth 7
mq_records_total NaN
__proto__ 1
constructor 1
garbage {{{`;
  assert.deepEqual(parseMetrics(text), { requests: 5, failures: 2, queueDepth: 7 });
});
