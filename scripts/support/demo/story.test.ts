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

test('a queue is shown by its first and last records, and where they went', () => {
  assert.deepEqual(story(QUEUE, 100), [
    'producer  → Produced: f4 … Produced: done (3 lines)',
    'consumer  ← Consumed: f4 … Consumed: done (3 lines)',
    'consumer  · the exit message arrived, 2 records',
  ]);
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
