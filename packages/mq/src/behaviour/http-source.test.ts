import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { deflateSync, gzipSync } from 'node:zlib';
import { eventually, freePort, type TestProcess } from '@sidekit/test-kit';
import { consumed, mq, numbered, testQueue } from '../testing/programs.ts';

const MIB = 1024 * 1024;
const queue = testQueue();
let producer: TestProcess;
let consumer: TestProcess;
let port = 0;

before(async () => {
  port = await freePort();
  const common = ['--queue', queue.name];
  producer = mq('producer', [
    ...[...common, '--source', 'http', '--listen', `127.0.0.1:${port}`, '--max-body', '1MiB'],
  ]);
  consumer = mq('consumer', common);
  await producer.event('source_listening');
});
after(async () => {
  await producer[Symbol.asyncDispose]();
  await consumer[Symbol.asyncDispose]();
  await queue[Symbol.asyncDispose]();
});

/** Posts a body and returns the status and text of the response. */
function post(
  body: Buffer | string,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ readonly status: number; readonly text: string }> {
  const options = { port, method: 'POST', headers };
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', ...options }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk) => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** Waits until the consumer has printed these records after the `from` first ones. */
async function arrive(records: readonly string[], from: number): Promise<void> {
  await eventually(() => consumed(consumer.stdout).length >= from + records.length, {
    what: `${records.length} records`,
  });
  assert.deepEqual(consumed(consumer.stdout).slice(from), records);
}

describe('records by POST', () => {
  test('a compressed body is decoded, and an unknown coding is refused', async () => {
    const before = consumed(consumer.stdout).length;
    const encodings = [
      ['gzip', gzipSync('a\nb\n')],
      ['GZIP', gzipSync('c')],
      ['deflate', deflateSync('d\n')],
      ['identity', 'e'],
    ] as const;
    for (const [encoding, body] of encodings) {
      assert.equal((await post(body, { 'content-encoding': encoding })).status, 202, encoding);
    }
    await arrive(['a', 'b', 'c', 'd', 'e'], before);
    const unknown = await post('x', { 'content-encoding': 'br' });
    assert.equal(unknown.status, 415);
    assert.match(unknown.text, /the Content-Encoding br is not known: use gzip or deflate/);
    const broken = await post(gzipSync('abc').subarray(0, 15), { 'content-encoding': 'gzip' });
    assert.equal(broken.status, 400);
    await arrive(['a', 'b', 'c', 'd', 'e'], before);
  });

  test('the carriage return of a line end is no part of a record', async () => {
    const before = consumed(consumer.stdout).length;
    assert.equal((await post('a\r\nb\rc\r\n\r\nd')).text, '4 accepted\n');
    await arrive(['a', 'b\rc', '', 'd'], before);
  });

  test('a body that is too large, also once it is decoded, is refused, and the next is taken', async () => {
    const before = consumed(consumer.stdout).length;
    const large = Buffer.alloc(MIB + 1, 'x\n');
    assert.equal((await post(large)).status, 413);
    const bomb = gzipSync(Buffer.alloc(64 * MIB));
    assert.equal((await post(bomb, { 'content-encoding': 'gzip' })).status, 413);
    assert.equal((await post('next')).status, 202);
    await arrive(['next'], before);
  });

  test('a large body is taken in blocks and answered once, when all of it is safe', async () => {
    const before = consumed(consumer.stdout).length;
    const records = numbered(1, 50_000);
    const { status, text } = await post(records.join('\n'));
    assert.deepEqual([status, text], [202, '50000 accepted\n']);
    await arrive(records, before);
  });
});
