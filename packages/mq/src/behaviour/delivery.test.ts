import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { PosixMQ } from '@sidekit/posix-mq';
import {
  eventually,
  freePort,
  startProgram,
  type TestProcess,
  temporaryDirectory,
} from '@sidekit/test-kit';
import request from 'supertest';
import { consumed, depth, mq, numbered, testQueue } from '../testing/programs.ts';
import { receiver } from '../testing/receiver.ts';

const MAIN = new URL('../main.ts', import.meta.url);

async function exitsWell(...programs: readonly TestProcess[]) {
  for (const one of programs) {
    assert.deepEqual(await one.exited, { code: 0, signal: null }, one.stderr);
  }
}

describe('mq producer and mq consumer', { concurrency: 2 }, () => {
  test('without options they speak as the programs of the article do', async () => {
    await using queue = testQueue();
    await using consumer = mq('consumer', ['--queue', queue.name]);
    await using producer = mq('producer', ['--queue', queue.name, '--count', '500']);
    await exitsWell(producer, consumer);
    const lines = producer.stdout.split('\n');
    assert.equal(lines.length, 502);
    for (const line of lines.slice(0, 500)) assert.match(line, /^Produced: [0-9a-f]{1,2}$/);
    assert.deepEqual(lines.slice(500), ['Produced: done', '']);
    assert.equal(consumer.stdout, producer.stdout.replaceAll('Produced', 'Consumed'));
    assert.equal(await depth(queue.name), 0);
  });

  test('messages are plain text for a program that knows nothing of mq, either way', async () => {
    await using queue = testQueue();
    await using producer = mq('producer', ['--queue', queue.name, '--count', '2']);
    await exitsWell(producer);
    using other = await PosixMQ.open({ name: queue.name });
    const messages = other.shiftAll().map(String);
    assert.deepEqual(messages.map((text) => `Produced: ${text}\n`).join(''), producer.stdout);
    // As the article's program sends: the entire buffer, with the bytes after the text.
    for (const text of ['f4', 'done']) other.push(Buffer.concat([Buffer.from(text)], 1024));
    await using consumer = mq('consumer', ['--queue', queue.name]);
    await exitsWell(consumer);
    assert.equal(consumer.stdout, 'Consumed: f4\nConsumed: done\n');
  });

  for (const delivery of ['at-most-once', 'at-least-once']) {
    test(`--batch passes the same records, whatever they are, ${delivery}`, async () => {
      await using queue = testQueue();
      using directory = temporaryDirectory('mq');
      const [input, output] = [join(directory.path, 'in'), join(directory.path, 'out')];
      const text = `${['', 'ä', ...numbered(1, 3000), 'done', ''].join('\n')}\nno line feed`;
      writeFileSync(input, text);
      const common = ['--queue', queue.name, '--delivery', delivery];
      if (delivery === 'at-least-once') common.push('--journal', directory.path);
      await using producer = mq('producer', [
        ...[...common, '--source', 'file', '--file', input, '--batch'],
      ]);
      await using consumer = mq('consumer', [
        ...[...common, '--sink', 'file', '--file', output, '--exit-message', ''],
      ]);
      await producer.exited;
      await eventually(
        () =>
          readFileSync(output, 'utf8') ===
          `${text}\n${delivery === 'at-most-once' ? 'done\n' : ''}`,
        {
          what: 'all records in the file',
        },
      );
      consumer.kill();
      await exitsWell(producer, consumer);
    });
  }

  test('metrics count messages, records and waits, and ready means that the queue is open', async () => {
    await using queue = testQueue();
    const ports = [await freePort(), await freePort()];
    const admin = (port: number) => request(`http://127.0.0.1:${port}`);
    const common = ['--queue', queue.name, '--admin'];
    await using consumer = startProgram(MAIN, ['consumer', ...common, `127.0.0.1:${ports[1]}`]);
    const notReady = await eventually(() => admin(ports[1]!).get('/readyz'), {
      what: 'the probes',
    });
    assert.equal(notReady.status, 503);
    assert.match(notReady.text, new RegExp(`queue ${queue.name} does not exist yet`));
    await using producer = startProgram(MAIN, [
      ...['producer', ...common, `127.0.0.1:${ports[0]}`, '--source', 'stdin', '--batch'],
    ]);
    for (const port of ports) {
      await eventually(async () => (await admin(port).get('/readyz')).status === 200, {
        what: 'ready',
      });
    }
    producer.child.stdin?.write('a\nb\nc\n');
    const metrics = async (port: number) => (await admin(port).get('/metrics')).text;
    await eventually(async () => /^mq_records_total 3$/m.test(await metrics(ports[1]!)), {
      what: 'three records',
    });
    for (const port of ports) {
      const text = await metrics(port);
      assert.match(text, /^mq_messages_total 1$/m);
      assert.match(text, /^mq_records_total 3$/m);
      assert.match(text, /^mq_queue_depth 0$/m);
      assert.match(text, /^mq_wait_seconds_count \d+$/m);
    }
    producer.child.stdin?.end();
    await exitsWell(producer, consumer);
  });

  test('higher priorities are consumed first', async () => {
    await using queue = testQueue();
    for (const [priority, text] of [
      ['1', 'low'],
      ['31', 'high'],
    ] as const) {
      await using producer = mq(
        'producer',
        [
          ...['--queue', queue.name, '--source', 'stdin', '--priority', priority],
          ...['--exit-message', ''],
        ],
        { input: `${text}\n` },
      );
      await exitsWell(producer);
    }
    await using consumer = mq('consumer', ['--queue', queue.name]);
    await eventually(() => consumed(consumer.stdout).length === 2, { what: 'both' });
    assert.deepEqual(consumed(consumer.stdout), ['high', 'low']);
    consumer.kill();
    await exitsWell(consumer);
  });

  test('--unlink removes the queue after the exit message, and not before', async () => {
    await using queue = testQueue();
    await using producer = mq('producer', ['--queue', queue.name, '--count', '1']);
    await exitsWell(producer);
    assert.equal(await depth(queue.name), 2);
    await using consumer = mq('consumer', ['--queue', queue.name, '--unlink']);
    await exitsWell(consumer);
    assert.equal(await depth(queue.name), undefined);
  });

  test('a full queue is back-pressure, and SIGTERM ends the wait with exit code 0', async () => {
    await using queue = testQueue();
    await using producer = mq('producer', ['--queue', queue.name]);
    await eventually(async () => (await depth(queue.name)) === 10, { what: 'a full queue' });
    producer.kill();
    await exitsWell(producer);
  });

  for (const delivery of ['at-most-once', 'at-least-once']) {
    test(`records taken by POST reach a sink that first refuses them, ${delivery}`, async () => {
      await using queue = testQueue();
      using directory = temporaryDirectory('mq');
      using sink = await receiver((number) => (number <= 2 ? 500 : 200));
      const common = ['--queue', queue.name, '--delivery', delivery];
      if (delivery === 'at-least-once') common.push('--journal', directory.path);
      const port = await freePort();
      await using producer = mq('producer', [
        ...[...common, '--source', 'http', '--listen', `127.0.0.1:${port}`],
      ]);
      await using consumer = mq('consumer', [...common, '--sink', 'http', '--url', sink.url]);
      await producer.event('source_listening');
      const app = request(`http://127.0.0.1:${port}`);
      assert.equal((await app.post('/').send('a\nb')).status, 202);
      assert.equal((await app.post('/').type('text').send('c\n')).status, 202);
      await eventually(() => sink.bodies.join('') === 'a\nb\nc\n', { what: 'the records' });
      assert.ok(sink.requests > 2);
      await consumer.event('retrying');
      if (delivery === 'at-least-once') assert.match(sink.keys[0] ?? '', /^[0-9a-f]{16}-1$/);
      assert.equal((await app.get('/')).status, 405);
      assert.equal((await app.post('/').type('text').send('')).status, 400);
      const long = await app.post('/').type('text').send('x'.repeat(1025));
      assert.equal(long.status, 413);
      assert.match(long.text, /^a record has 1025 B, a message takes (1024|995) B$/m);
      producer.kill();
      consumer.kill();
      await exitsWell(producer, consumer);
    });
  }

  test('a sink that refuses gets no acknowledgement, and what it did not take comes again', async () => {
    await using queue = testQueue();
    using directory = temporaryDirectory('mq');
    using refusing = await receiver(() => 500);
    const common = ['--queue', queue.name, '--delivery', 'at-least-once'];
    common.push('--journal', directory.path, '--redeliver-after', '50ms');
    const consumerArgs = common.slice(0, -2);
    await using producer = mq('producer', [...common, '--source', 'stdin'], {
      input: 'a\nb\nc\n',
    });
    await using first = mq('consumer', [...consumerArgs, '--sink', 'http', '--url', refusing.url]);
    await eventually(() => refusing.requests >= 3, { what: 'refusals' });
    assert.equal(producer.child.exitCode, null);
    first.kill();
    await exitsWell(first);
    await using second = mq('consumer', consumerArgs);
    await exitsWell(second, producer);
    assert.deepEqual(consumed(second.stdout), ['a', 'b', 'c', 'done']);
    // Whoever is started once more finds that nothing is left to do.
    await using third = mq('consumer', consumerArgs);
    await exitsWell(third);
    assert.equal(third.stdout, '');
  });

  test('a disk that is full stops the consumer, not the records', async () => {
    await using queue = testQueue();
    await using consumer = mq('consumer', [
      ...['--queue', queue.name, '--sink', 'file', '--file', '/dev/full'],
      ...['--grace-period', '100ms'],
    ]);
    await using producer = mq('producer', ['--queue', queue.name, '--count', '100']);
    const record = await consumer.event('retrying');
    assert.match(String(record.error), /ENOSPC/);
    await eventually(async () => (await depth(queue.name)) === 10, { what: 'back-pressure' });
    assert.equal(producer.child.exitCode, null);
    producer.kill();
    await exitsWell(producer);
    // In plain mode the records exist only in the consumer: it retries until the grace period ends.
    consumer.kill();
    assert.equal((await consumer.exited).code, 70);
  });

  test('random numbers with a journal are made once, across a restart', async () => {
    await using queue = testQueue();
    using directory = temporaryDirectory('mq');
    const common = ['--queue', queue.name, '--delivery', 'at-least-once'];
    common.push('--journal', directory.path);
    const start = () => mq('producer', [...common, '--count', '50', '--interval', '1ms']);
    await using first = start();
    await eventually(() => first.stdout.split('\n').length > 5, { what: 'the first numbers' });
    first.kill('SIGKILL');
    await first.exited;
    await using consumer = mq('consumer', common);
    await using second = start();
    await exitsWell(second, consumer);
    const numbers = consumed(consumer.stdout);
    assert.equal(numbers.length, 51);
    assert.equal(numbers.at(-1), 'done');
    await using third = start();
    await exitsWell(third);
    assert.equal(third.stdout, '');
    await third.event('journal_complete');
  });
});
