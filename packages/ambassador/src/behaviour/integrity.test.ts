import assert from 'node:assert/strict';
import net from 'node:net';
import { test } from 'node:test';
import { eventually, propertyParameters } from '@sidekit/test-kit';
import fc from 'fast-check';
import { TestProxy } from '../testing/proxy.ts';
import { RawClient } from '../testing/raw.ts';
import { TestUpstream } from '../testing/upstream.ts';

/** Small requests, reads that fill a buffer, and all between. */
const pieces = fc.array(fc.oneof(fc.integer({ min: 1, max: 2000 }), fc.nat(150_000)), {
  minLength: 1,
  maxLength: 6,
});
/** One list of pieces for each of several connections at once. */
const loads = fc.array(pieces, { minLength: 2, maxLength: 6 });

/** Bytes that tell which connection they belong to, and where. */
function contentOf(connection: number, sizes: readonly number[]): Buffer[] {
  let state = connection + 1;
  return sizes.map((size) =>
    Buffer.alloc(size).map(() => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state >>> 24;
    }),
  ) as Buffer[];
}

interface Kind {
  readonly name: string;
  /** Precedes the pieces. */
  head(size: number): string;
  encode(piece: Buffer): Buffer;
  readonly tail: string;
  /** Precedes the echo. */
  readonly answer: RegExp;
}

const UPGRADE = 'Host: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
const same = (piece: Buffer) => piece;
const HTTP: readonly Kind[] = [
  {
    name: 'a body of known length',
    head: (size) => `PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n`,
    encode: same,
    tail: '',
    answer: /^HTTP\/1\.1 200 [\s\S]*?\r\n\r\n/,
  },
  {
    name: 'a chunked body',
    head: () => 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n',
    encode: (piece) =>
      piece.length === 0
        ? piece
        : Buffer.concat([
            Buffer.from(`${piece.length.toString(16)}\r\n`),
            piece,
            Buffer.from('\r\n'),
          ]),
    tail: '0\r\n\r\n',
    answer: /^HTTP\/1\.1 200 [\s\S]*?\r\n\r\n/,
  },
  {
    name: 'a tunnel',
    head: () => `GET / HTTP/1.1\r\n${UPGRADE}`,
    encode: same,
    tail: '',
    answer: /^HTTP\/1\.1 101 [\s\S]*?\r\n\r\n/,
  },
];
const TCP: Kind = { name: 'tcp', head: () => '', encode: same, tail: '', answer: /^/ };

/** Sends all loads at once and compares the echoes. */
async function echo(port: number, kind: Kind, all: readonly number[][]): Promise<void> {
  using clients = new DisposableStack();
  await Promise.all(
    all.map(async (sizes, connection) => {
      const client = clients.use(new RawClient(port));
      const content = contentOf(connection, sizes);
      const size = sizes.reduce((sum, one) => sum + one, 0);
      client.send(kind.head(size));
      for (const piece of content) {
        const encoded = kind.encode(piece);
        if (encoded.length > 0 && !client.socket.write(encoded))
          await new Promise((resolve) => client.socket.once('drain', resolve));
      }
      client.send(kind.tail);
      const text = Buffer.concat(content).toString('latin1');
      const body = () => {
        const answer = kind.answer.exec(client.received);
        return answer === null ? undefined : client.received.slice(answer[0].length);
      };
      await client.wait('the echo', () => (body()?.length ?? -1) >= size);
      assert.ok(body() === text, `connection ${connection} got other bytes`);
    }),
  );
}

test('each connection gets its own bytes, whatever sizes they are read in', async () => {
  await using upstream = await TestUpstream.start((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk) => chunks.push(chunk));
    incoming.on('end', () => {
      const body = Buffer.concat(chunks);
      response.setHeader('Content-Length', body.length);
      response.end(body);
    });
  });
  upstream.server.on('upgrade', (_incoming, socket: net.Socket) => {
    socket.on('error', () => {});
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    );
    socket.pipe(socket);
  });
  await using proxy = await TestProxy.start({ upstream: [upstream.url] });
  const server = net.createServer((socket) => {
    socket.on('error', () => {});
    socket.pipe(socket);
  });
  // A failure must not leave it open.
  server.unref().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as net.AddressInfo;
  await using tcp = await TestProxy.start({
    protocol: 'tcp',
    upstream: [`tcp://127.0.0.1:${port}`],
  });
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...HTTP, TCP), loads, (kind, all) =>
      echo(kind === TCP ? tcp.port : proxy.port, kind, all),
    ),
    propertyParameters(15),
  );
  await proxy.settled();
  for (const one of [proxy, tcp])
    await eventually(() => one.metric('ambassador_memory_waiting_bytes') === 0, {
      what: 'nothing waits',
    });
});
