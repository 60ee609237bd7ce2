import assert from 'node:assert/strict';
import { test } from 'node:test';
import { story } from './story.ts';

const log = (name: string, event: string, msg: string, more: object = {}) =>
  JSON.stringify({ time: '2026-11-26T09:00:00.000Z', level: 'info', name, msg, event, ...more });

const QUEUE = [
  `producer | ${log('mq producer', 'starting', 'starting')}`,
  ...['f4', '2a', 'done'].map((one) => `producer | Produced: ${one}`),
  `consumer | ${log('mq consumer', 'ready', 'ready')}`,
  ...['f4', '2a', 'done'].map((one) => `consumer | Consumed: ${one}`),
  `consumer | ${log('mq consumer', 'exit_message', 'the exit message arrived', { records: 2 })}`,
].join('\n');

test('a queue is shown by its first and last records, and how many arrived', () => {
  assert.deepEqual(story(QUEUE, 100), [
    'producer  → Produced: f4 … Produced: done (3 lines)',
    'consumer  ← Consumed: f4 … Consumed: done, 3 of 3 in order',
    'consumer  · the exit message arrived, 2 records',
  ]);
});

test('records that are missing or in another order are not called in order', () => {
  const consumer = (records: readonly string[]) =>
    records.map((one) => `consumer | Consumed: ${one}`).join('\n');
  const producer = ['1', '2', '3', '4'].map((one) => `producer | Produced: ${one}`).join('\n');
  const told = (records: readonly string[]) => story(`${producer}\n${consumer(records)}`, 100)[1];
  assert.equal(told(['1', '2', '3']), 'consumer  ← Consumed: 1 … Consumed: 3, 3 of 4 in order');
  assert.equal(told(['1', '3', '2', '4']), 'consumer  ← Consumed: 1 … Consumed: 4, 4 of 4');
});

test('a line of an access log becomes its request', () => {
  const line =
    'app | ::ffff:10.88.2.174 - - [26/Nov/2026:19:51:22 +0000] "GET /a?b HTTP/1.1" 200 7 "-" "x"';
  assert.deepEqual(story(line, 60), ['app  · GET /a?b 200']);
});

test('lines that are the same are shown once, with their number', () => {
  const lines = ['GET / 200', 'GET / 200', 'GET /a 404'].map((line) => `app | ${line}`).join('\n');
  assert.deepEqual(story(lines, 60), ['app  · GET / 200 (2 times), GET /a 404']);
});

test('the logs of a cluster tell the same', () => {
  const cluster = QUEUE.replace(/^(\w+) \|/gm, '[pod/message-queue/$1]');
  assert.deepEqual(story(cluster, 100), story(QUEUE, 100));
});

test('no line is wider than the terminal, and there are at most six', () => {
  const many = Array.from({ length: 9 }, (_, i) => `c${i} | ${'word '.repeat(50)}`).join('\n');
  const lines = story(many, 60);
  assert.equal(lines.length, 6);
  for (const line of lines) assert.ok(line.length <= 60 && line.endsWith(' …'), line);
});

test('repeated messages appear once, and a record of the adapter by its request', () => {
  const text = [
    ...Array.from(
      { length: 3 },
      () => `writer | ${log('file-writer', 'published', 'published', { target: '/html/x' })}`,
    ),
    `adapter | ${JSON.stringify({ method: 'GET', path: '/', status: 200 })}`,
    'adapter | {broken',
  ].join('\n');
  assert.deepEqual(story(text, 100), [
    'writer   · published: /html/x (3 times)',
    'adapter  · GET / 200',
  ]);
});
