/** Servers that lie about lengths, ranges, validators and encodings, at every byte. */
import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { propertyParameters } from '@sidekit/test-kit';
import fc from 'fast-check';
import { Failure } from '../failure.ts';
import { download } from './download.ts';

/** Two versions of 1,000,000 bytes that differ in every byte. */
const A = Buffer.alloc(1_000_000, 'A');
const B = Buffer.alloc(1_000_000, 'B');

/** Serves raw responses, one after another; the last one is repeated. */
async function serve(respond: (request: string, socket: Socket, index: number) => void) {
  let index = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    let text = '';
    socket.on('data', (data) => {
      text += data;
      if (!text.includes('\r\n\r\n')) return;
      respond(text, socket, index++);
      text = '';
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/file`,
    requests: () => index,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function head(status: string, headers: Readonly<Record<string, string | number>>): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status}\r\n${lines.join('')}connection: close\r\n\r\n`;
}

async function fetchAll(url: string, pinned = false): Promise<Buffer> {
  const options = { idleTimeout: 5000, signal: AbortSignal.timeout(30_000), pinned };
  const found = await download(url, { ...options, credentials: undefined });
  assert.ok(found);
  const chunks: Uint8Array[] = [];
  for await (const chunk of found.chunks) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Cuts the first response at 400,000 bytes, then answers each range with `part`. */
async function interrupted(
  part: (from: number, socket: Socket) => void,
  headers: Readonly<Record<string, string>> = { etag: '"v1"' },
) {
  return await serve((request, socket) => {
    const from = /range: bytes=(\d+)-/i.exec(request)?.[1];
    if (from !== undefined) {
      part(Number(from), socket);
      return;
    }
    const common = { ...headers, 'accept-ranges': 'bytes', 'content-length': A.length };
    socket.write(head('200 OK', common));
    socket.end(A.subarray(0, 400_000));
  });
}

test('a range that is shorter than requested is followed by further ones', async () => {
  await using server = await interrupted((from, socket) => {
    const to = Math.min(from + 100_000, A.length);
    const range = `bytes ${from}-${to - 1}/${A.length}`;
    socket.write(
      head('206 Partial', { etag: '"v1"', 'content-range': range, 'content-length': to - from }),
    );
    socket.end(A.subarray(from, to));
  });
  assert.ok((await fetchAll(server.url)).equals(A));
  assert.equal(server.requests(), 7);
});

test('the rest of another version, or of none, starts the download over', async () => {
  const lies: Readonly<Record<string, (from: number) => [string, Buffer]>> = {
    'another entity tag': (from) => [
      head('206 Partial', {
        etag: '"v2"',
        'content-range': `bytes ${from}-999999/1000000`,
        'content-length': A.length - from,
      }),
      B.subarray(from),
    ],
    'no entity tag': (from) => [
      head('206 Partial', {
        'content-range': `bytes ${from}-999999/1000000`,
        'content-length': A.length - from,
      }),
      B.subarray(from),
    ],
    'another total': (from) => [
      head('206 Partial', {
        etag: '"v1"',
        'content-range': `bytes ${from}-999999/1000001`,
        'content-length': A.length - from,
      }),
      A.subarray(from),
    ],
    'two entity tags': (from) => [
      head('206 Partial', {
        etag: '"v1"',
        ETag: '"v2"',
        'content-range': `bytes ${from}-999999/1000000`,
        'content-length': A.length - from,
      }),
      B.subarray(from),
    ],
    'several ranges': (from) => [
      head('206 Partial', {
        etag: '"v1"',
        'content-type': 'multipart/byteranges; boundary=b',
        'content-range': `bytes ${from}-999999/1000000`,
        'content-length': A.length - from,
      }),
      Buffer.concat([Buffer.from('--b\r\n\r\n'), A]).subarray(0, A.length - from),
    ],
    'a length other than that of the range': (from) => [
      head('206 Partial', {
        etag: '"v1"',
        'content-range': `bytes ${from}-999999/1000000`,
        'content-length': 1000,
      }),
      A.subarray(from, from + 1000),
    ],
    'a coding that ends with the connection': (from) => [
      head('206 Partial', {
        etag: '"v1"',
        'content-range': `bytes ${from}-999999/1000000`,
        'transfer-encoding': 'identity',
      }),
      A.subarray(from),
    ],
    'an unknown total': (from) => [
      head('206 Partial', {
        etag: '"v1"',
        'content-range': `bytes ${from}-999999/*`,
        'content-length': A.length - from,
      }),
      A.subarray(from),
    ],
    'another offset': (from) => [
      head('206 Partial', {
        etag: '"v1"',
        'content-range': `bytes ${from + 1}-999999/1000000`,
        'content-length': A.length - from - 1,
      }),
      A.subarray(from + 1),
    ],
    'the complete new version': () => [
      head('200 OK', { etag: '"v2"', 'content-length': B.length }),
      B,
    ],
    'an encoded range': (from) => [
      head('206 Partial', {
        etag: '"v1"',
        'content-encoding': 'gzip',
        'content-range': `bytes ${from}-999999/1000000`,
        'content-length': A.length - from,
      }),
      A.subarray(from),
    ],
    'more than the range': (from) => [
      head('206 Partial', {
        etag: '"v1"',
        'content-range': `bytes ${from}-${from + 99_999}/1000000`,
        'content-length': 100_001,
      }),
      A.subarray(from, from + 100_001),
    ],
    'no range': () => [head('416 Range Not Satisfiable', { 'content-length': 0 }), Buffer.alloc(0)],
  };
  for (const [name, lie] of Object.entries(lies)) {
    await using server = await interrupted((from, socket) => {
      const [text, body] = lie(from);
      socket.write(text);
      socket.end(body);
    });
    await assert.rejects(fetchAll(server.url), { reason: 'cut' }, name);
  }
});

test('304 without a validator in the request is no answer', async () => {
  await using server = await serve((_, socket) => socket.end(head('304 Not Modified', {})));
  const options = {
    idleTimeout: 5000,
    signal: AbortSignal.timeout(30_000),
    credentials: undefined,
  };
  const validators = { etag: undefined, lastModified: undefined };
  await assert.rejects(download(server.url, { ...options, validators }), /answered 304/);
  const known = { etag: '"v1"', lastModified: undefined };
  assert.equal(await download(server.url, { ...options, validators: known }), undefined);
});

test('a server that makes no progress is abandoned', async () => {
  await using server = await interrupted((from, socket) => {
    socket.write(
      head('206 Partial', {
        etag: '"v1"',
        'content-range': `bytes ${from}-${from}/1000000`,
        'content-length': 1,
      }),
    );
    socket.end('A');
  });
  await assert.rejects(fetchAll(server.url), { reason: 'cut' });
  assert.ok(server.requests() < 10);
});

test('a Last-Modified date resumes a download if it is a strong validator', async () => {
  const modified = 'Thu, 26 Nov 2026 06:00:00 GMT';
  for (const [date, resumes] of [
    ['Thu, 26 Nov 2026 06:10:00 GMT', true],
    ['Thu, 26 Nov 2026 06:00:10 GMT', false],
  ] as const) {
    await using server = await interrupted(
      (from, socket) => {
        socket.write(
          head('206 Partial', {
            'last-modified': modified,
            'content-range': `bytes ${from}-999999/1000000`,
            'content-length': A.length - from,
          }),
        );
        socket.end(A.subarray(from));
      },
      { date, 'last-modified': modified },
    );
    if (resumes) assert.ok((await fetchAll(server.url)).equals(A));
    else await assert.rejects(fetchAll(server.url), { reason: 'cut' });
  }
});

test('a body that ends with the connection is complete only with a pinned checksum', async () => {
  await using server = await serve((_request, socket) => {
    socket.write('HTTP/1.0 200 OK\r\n\r\n');
    socket.end('content');
  });
  await assert.rejects(fetchAll(server.url), { reason: 'cut', message: /--sha256/ });
  assert.equal((await fetchAll(server.url, true)).toString(), 'content');
});

test('a transfer coding other than chunks is refused: its body may be compressed, or cut', async () => {
  const packed = gzipSync(A);
  for (const [coding, body] of [
    ['identity', A.subarray(0, 1000)],
    ['gzip', packed],
    ['gzip', packed.subarray(0, 100)],
    ['gzip, chunked', Buffer.from('3\r\nabc\r\n0\r\n\r\n')],
    ['chunked, identity', A.subarray(0, 1000)],
    ['xchunked', A.subarray(0, 1000)],
  ] as const) {
    await using server = await serve((_request, socket) => {
      socket.write(head('200 OK', { 'transfer-encoding': coding }));
      socket.end(body);
    });
    const refused = { reason: 'encoding', message: /transfer coding/ };
    await assert.rejects(fetchAll(server.url), refused, coding);
  }
});

/** Everything that a response may claim, right or wrong. */
const part = fc.record({
  version: fc.constantFrom(A, B),
  etag: fc.constantFrom('"v1"', '"v2"', 'W/"v1"', undefined),
  first: fc.integer({ min: -2, max: 2 }),
  length: fc.integer({ min: 1, max: 700_000 }),
  total: fc.constantFrom(1_000_000, 999_999, undefined),
  claimed: fc.integer({ min: -1, max: 1 }),
  chunked: fc.boolean(),
  status: fc.constantFrom(206, 206, 206, 200, 416, 500),
  cut: fc.integer({ min: 0, max: 700_000 }),
});

test('whatever a server sends, the result is one complete version or a failure', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(part, { minLength: 1, maxLength: 6 }),
      fc.integer({ min: 0, max: 1_000_000 }),
      async (parts, firstCut) => {
        await using server = await serve((request, socket, index) => {
          const from = /range: bytes=(\d+)-/i.exec(request)?.[1];
          if (from === undefined) {
            const common = { etag: '"v1"', 'accept-ranges': 'bytes', 'content-length': A.length };
            socket.write(head('200 OK', common));
            socket.end(A.subarray(0, firstCut));
            return;
          }
          const one = parts[Math.min(index - 1, parts.length - 1)]!;
          const first = Math.max(
            0,
            Number(from) + (one.first === 2 ? 1 : one.first === -2 ? -1 : 0),
          );
          // Nobody can detect other content under the same strong entity tag.
          const version = one.etag === '"v1"' ? A : one.version;
          const body = version.subarray(first, first + one.length);
          const range = `bytes ${first}-${first + body.length - 1}/${one.total ?? '*'}`;
          const framing: Record<string, string | number> = one.chunked
            ? { 'transfer-encoding': 'chunked' }
            : { 'content-length': body.length + one.claimed };
          const etag: Record<string, string> = one.etag === undefined ? {} : { etag: one.etag };
          socket.write(head(`${one.status} X`, { ...etag, 'content-range': range, ...framing }));
          const sent = body.subarray(0, one.cut);
          if (one.chunked) socket.write(`${sent.length.toString(16)}\r\n`);
          socket.write(sent);
          socket.end(one.chunked ? `\r\n${one.cut >= body.length ? '0\r\n\r\n' : ''}` : '');
        });
        const result = await fetchAll(server.url).catch((error) => error);
        if (result instanceof Buffer) assert.ok(result.equals(A), 'a mix of versions');
        else assert.ok(result instanceof Failure, String(result));
      },
    ),
    propertyParameters(60),
  );
});

test('gzip that is cut at any byte is a failure', async () => {
  const text = Buffer.concat([gzipSync('first member '), gzipSync('second member')]);
  for (let length = 0; length < text.length; length++) {
    for (const declared of [true, false]) {
      await using server = await serve((_request, socket) => {
        const framing: Record<string, string | number> = declared
          ? { 'content-length': text.length }
          : { 'transfer-encoding': 'chunked' };
        socket.write(head('200 OK', { 'content-encoding': 'gzip', ...framing }));
        if (!declared && length > 0) socket.write(`${length.toString(16)}\r\n`);
        socket.end(text.subarray(0, length));
      });
      await assert.rejects(fetchAll(server.url), Failure, `${length} of ${text.length}`);
    }
  }
});
