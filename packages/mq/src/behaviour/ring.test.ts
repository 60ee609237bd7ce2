import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { RingProducer } from '@sidekit/shared-memory';
import { eventually, temporaryDirectory } from '@sidekit/test-kit';
import { consumed, mq, numbered, testRing } from '../testing/programs.ts';
import { receiver } from '../testing/receiver.ts';

describe('a ring in shared memory', () => {
  test('carries the article’s records, whichever side starts first', async () => {
    await using ring = testRing();
    await using consumer = mq('consumer', ['--queue', ring.name]);
    await consumer.event('starting');
    await using producer = mq('producer', ['--queue', ring.name, '--count', '500']);
    for (const one of [producer, consumer]) assert.equal((await one.exited).code, 0, one.stderr);
    assert.equal(producer.stdout.split('\n').length, 502);
    assert.equal(consumer.stdout, producer.stdout.replaceAll('Produced', 'Consumed'));
  });

  for (const [delivery, sink, batch] of [
    ['at-most-once', 'file', '--no-batch'],
    ['at-most-once', 'http', '--batch'],
    ['at-least-once', 'file', '--batch'],
    ['at-least-once', 'http', '--no-batch'],
  ] as const) {
    test(`passes all records to ${sink}, ${delivery}, ${batch}`, async () => {
      await using ring = testRing();
      using directory = temporaryDirectory('mq-ring');
      using target = await receiver((number) => (number === 1 ? 500 : 200));
      const [input, output] = [join(directory.path, 'in'), join(directory.path, 'out')];
      const text = `${['', ...numbered(1, 20_000), 'x'.repeat(200_000), ''].join('\n')}\n`;
      writeFileSync(input, text);
      const common = ['--queue', ring.name, '--delivery', delivery];
      if (delivery === 'at-least-once') common.push('--journal', directory.path);
      await using producer = mq('producer', [
        ...[...common, '--source', 'file', '--file', input, batch],
      ]);
      await using consumer = mq('consumer', [
        ...[...common, '--sink', sink],
        ...(sink === 'file' ? ['--file', output] : ['--url', target.url]),
      ]);
      for (const one of [producer, consumer]) assert.equal((await one.exited).code, 0, one.stderr);
      const found = sink === 'file' ? readFileSync(output, 'utf8') : target.bodies.join('');
      assert.ok(found === text, `${found.length} of ${text.length} bytes`);
    });
  }

  test('a ring that is removed is recreated, and noticed by the consumer', async () => {
    await using ring = testRing();
    const common = ['--queue', ring.name, '--check-interval', '20ms'];
    await using producer = mq('producer', [...common, '--source', 'stdin']);
    await using consumer = mq('consumer', common);
    producer.child.stdin?.write('a\n');
    await eventually(() => consumer.stdout === 'Consumed: a\n', { what: 'the first record' });
    ring.unlink();
    await producer.event('queue_removed');
    producer.child.stdin?.end('b\n');
    for (const one of [producer, consumer]) assert.equal((await one.exited).code, 0, one.stderr);
    assert.deepEqual(consumed(consumer.stdout), ['a', 'b', 'done']);
  });

  test('a second consumer waits until the first one has ended', async () => {
    await using ring = testRing();
    const common = ['--queue', ring.name, '--check-interval', '20ms'];
    using other = await RingProducer.open({ name: ring.segment, create: true, mode: 0o600 });
    await using first = mq('consumer', common);
    await first.event('queue_open');
    await using second = mq('consumer', common);
    await second.event('starting');
    other.push('a');
    await eventually(() => first.stdout === 'Consumed: a\n', { what: 'the first record' });
    first.kill();
    await first.exited;
    await second.event('queue_open');
    other.push('done');
    assert.equal((await second.exited).code, 0, second.stderr);
    assert.equal(second.stdout, 'Consumed: done\n');
  });
});
