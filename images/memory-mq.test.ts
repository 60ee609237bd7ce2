/** `mq` as its image runs it, under the memory limit of the manifests. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  eventually,
  freePort,
  type LimitedProcess,
  missingMemoryLimits,
  temporaryDirectory,
} from '@sidekit/test-kit';
import { largeMessages } from '../packages/mq/src/testing/namespace.ts';
import { testQueue } from '../packages/mq/src/testing/programs.ts';
import { type LimitedImage, limitedImage, MIB } from './testing/limited-image.ts';

/** All queues of a user share 819,200 bytes: 768 KiB leave no room for tests that run meanwhile. */
const LONG = process.env.SIDEKIT_LONG === '1';
/** The most memory of a process of mq, in bytes. */
const PEAK = 90 * MIB;

const ADMIN = ['--admin', '127.0.0.1:0'];

describe('mq with 128 MiB', { skip: missingMemoryLimits }, () => {
  let image: LimitedImage;
  before(async () => {
    image = await limitedImage('mq');
  });
  after(() => image[Symbol.dispose]());

  test('eighty connections of 22 KB posts', async (context) => {
    await using queue = testQueue();
    const port = await freePort();
    const common = [...ADMIN, '--queue', queue.name];
    await using producer = image.start([
      ...['producer', ...common, '--source', 'http', '--listen', `127.0.0.1:${port}`],
      ...['--max-body', '1MiB'],
    ]);
    await using consumer = image.start(['consumer', ...common]);
    await producer.event('source_listening');
    const agent = new Agent({ keepAlive: true, maxSockets: 80 });
    const body = Buffer.from(`${'x'.repeat(999)}\n`.repeat(22));
    let accepted = 0;
    await Promise.all(
      Array.from({ length: 80 }, async () => {
        for (let i = 0; i < 25; i++) {
          const status = await post(port, body, agent);
          assert.ok(status === 202 || status === 503, `${status}`);
          if (status === 202) accepted++;
        }
      }),
    );
    agent.destroy();
    assert.ok(accepted > 100, `${accepted}`);
    const records = () => consumer.stdout.split('\n').length - 1;
    await eventually(() => records() === 22 * accepted, { what: 'every accepted record' });
    for (const [name, program] of Object.entries({ producer, consumer })) {
      context.diagnostic(`peak of the ${name}: ${Math.round(program.peak / MIB)} MiB`);
      assertWithin(program, name);
    }
  });

  test('bodies in chunks of one byte', async (context) => {
    await using queue = testQueue();
    const port = await freePort();
    await using producer = image.start([
      ...['producer', ...ADMIN, '--queue', queue.name, '--source', 'http'],
      ...['--listen', `127.0.0.1:${port}`],
    ]);
    await producer.event('source_listening');
    const body = Buffer.from(`1\r\nx\r\n`.repeat(MIB));
    const refused = Array.from({ length: 2 }, () => {
      const socket = connect(port, '127.0.0.1');
      socket.write('POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n');
      socket.write(body);
      // The first chunk over --max-body.
      socket.write('1\r\nx\r\n');
      return new Promise<string>((resolve) => {
        socket.on('data', (data) => resolve(String(data).slice(9, 12)));
        socket.on('error', (error) => resolve(String(error)));
      });
    });
    // 408 from a machine that is too busy to read them in time.
    for (const status of await Promise.all(refused)) assert.match(status, /^4(13|08)$/);
    context.diagnostic(`peak: ${Math.round(producer.peak / MIB)} MiB`);
    assertWithin(producer, 'producer');
  });

  test('messages of 768 KiB', { skip: !LONG && 'only in the long form' }, async (context) => {
    await using namespace = await largeMessages();
    using directory = temporaryDirectory('memory-mq');
    const size = 768 * 1024;
    const records = Array.from({ length: 40 }, (_, i) => `${i % 10}`.repeat(size - i));
    const [input, output] = [join(directory.path, 'in'), join(directory.path, 'out')];
    writeFileSync(input, `${records.join('\n')}\n`);
    const enter = { enter: namespace.enter };
    const common = [...ADMIN, '--queue', '/large'];
    await using consumer = image.start(
      ['consumer', ...common, '--sink', 'file', '--file', output],
      enter,
    );
    await using producer = image.start(
      [
        ...['producer', ...common, '--source', 'file', '--file', input, '--exit-message', ''],
        ...['--maxmsg', '1', '--msgsize', '768KiB'],
      ],
      enter,
    );
    const wanted = records.map((one) => `${one}\n`).join('');
    let peak = 0;
    await eventually(
      () => {
        if (producer.child.exitCode === null) peak = Math.max(peak, producer.peak || 0);
        return readFileSync(output).length >= wanted.length;
      },
      { what: 'all records' },
    );
    assert.ok(readFileSync(output, 'utf8') === wanted, 'the records are those that were sent');
    assert.equal((await producer.exited).code, 0, producer.stderr);
    context.diagnostic(`peaks: producer ${peak / MIB} MiB, consumer ${consumer.peak / MIB} MiB`);
    assert.ok(peak > 0 && peak < PEAK, `${peak / MIB} MiB`);
    assertWithin(consumer, 'consumer');
  });
});

function assertWithin(program: LimitedProcess, name: string): void {
  assert.equal(program.kills, 0, `${name}: killed by the memory limit`);
  assert.ok(program.peak < PEAK, `${name}: ${program.peak / MIB} MiB`);
}

/** Posts a body and returns the status of the response. */
function post(port: number, body: Buffer, agent: Agent): Promise<number> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port, method: 'POST', agent }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0));
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}
