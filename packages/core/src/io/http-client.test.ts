import assert from 'node:assert/strict';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { send } from './http-client.ts';

async function serving(handler: RequestListener) {
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/x`,
    [Symbol.dispose]: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function speaking(answer: (socket: Socket) => void) {
  const server = createTcpServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => answer(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/`, [Symbol.dispose]: () => void server.close() };
}

test('any status resolves with headers and body', async () => {
  using server = await serving((request, response) => {
    response.writeHead(503, { 'x-method': request.method }).end('busy');
  });
  const { status, headers, body } = await send(server.url, { timeout: 10_000 });
  assert.equal(status, 503);
  assert.equal(headers['x-method'], 'GET');
  assert.equal(body.toString(), 'busy');
});

test('user and password of the URL are sent, whatever percent signs they have', async () => {
  using server = await serving((request, response) => {
    response.end(request.headers.authorization);
  });
  const url = server.url.replace('//', '//user:100%@');
  const { body } = await send(url, { timeout: 10_000 });
  assert.equal(String(body), `Basic ${Buffer.from('user:100%').toString('base64')}`);
});

test('a body is sent with its length', async () => {
  using server = await serving((request, response) => {
    const length = request.headers['content-length'] ?? '';
    request.on('data', (chunk) => response.write(chunk)).on('end', () => response.end(length));
  });
  const { body } = await send(server.url, { method: 'POST', body: 'größe', timeout: 10_000 });
  assert.equal(body.toString(), 'größe7');
});

test('an answer that does not come in time fails', async () => {
  using silent = await serving(() => {});
  await assert.rejects(send(silent.url, { timeout: 20 }), /no complete answer within 20 ms/);
  using half = await serving((_, response) => void response.write('half'));
  await assert.rejects(send(half.url, { timeout: 50 }), /no complete answer within 50 ms/);
});

test('an answer larger than the limit fails', async () => {
  using server = await serving((_, response) => response.end('x'.repeat(2000)));
  await assert.rejects(send(server.url, { timeout: 10_000, limit: 1024 }), /larger than 1KiB/);
});

test('an abort, a refusal, a cut answer and an unasked upgrade all reject', async () => {
  using silent = await serving(() => {});
  const controller = new AbortController();
  const aborted = send(silent.url, { timeout: 10_000, signal: controller.signal });
  controller.abort();
  await assert.rejects(aborted, { name: 'AbortError' });

  const gone = await serving(() => {});
  gone[Symbol.dispose]();
  await assert.rejects(send(gone.url, { timeout: 10_000 }), { code: 'ECONNREFUSED' });

  using cut = await speaking((socket) =>
    socket.end('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf'),
  );
  await assert.rejects(send(cut.url, { timeout: 10_000 }), /aborted|hang up|closed/);

  using upgrade = await speaking((socket) =>
    socket.write('HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'),
  );
  await assert.rejects(send(upgrade.url, { timeout: 10_000 }), /closed before a complete answer/);
});

test('a body is not sent on after a complete response', async () => {
  const connection = Promise.withResolvers<number>();
  const peer = Promise.withResolvers<Socket>();
  using server = await speaking((socket) => {
    let received = 0;
    socket.on('data', ({ length }) => {
      received += length;
    });
    socket.on('close', () => connection.resolve(received));
    socket.write('HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n');
    socket.pause();
    peer.resolve(socket);
  });
  const body = Buffer.alloc(16 * 1024 * 1024);
  const { status } = await send(server.url, { method: 'POST', body, timeout: 10_000 });
  assert.equal(status, 413);
  (await peer.promise).resume();
  assert.ok((await connection.promise) < body.length);
});

test('a request whose permission ends while it connects is not sent', async () => {
  const paths: (string | undefined)[] = [];
  using server = await serving((request, response) => {
    paths.push(request.url);
    response.end();
  });
  const order: string[] = [];
  const before = () => void order.push('before');
  assert.equal((await send(server.url, { timeout: 10_000, before })).status, 200);
  assert.deepEqual([order, paths], [['before'], ['/x']]);
  const ended = () => {
    throw new Error('no longer allowed');
  };
  const refused = send(server.url, { method: 'POST', body: 'x', timeout: 10_000, before: ended });
  await assert.rejects(refused, /no longer allowed/);
  assert.equal((await send(server.url, { timeout: 10_000 })).status, 200);
  assert.equal(paths.length, 2);
});

test('of a body, as much is kept as the caller wants, and the limit is for all of it', async () => {
  using server = await serving((_, response) => response.end('x'.repeat(100_000)));
  const { body } = await send(server.url, { timeout: 10_000, keep: 70_000 });
  assert.equal(body.length, 70_000);
  const request = send(server.url, { timeout: 10_000, keep: 1, limit: 99_999 });
  await assert.rejects(request, /larger than/);
});
