import http from 'node:http';
import http2 from 'node:http2';
import { setTimeout as pause } from 'node:timers/promises';

/**
 * The upstream of the mixed load: `node upstream.ts HTTP_PORT H2C_PORT`. It runs inside a Pod, so
 * it needs nothing but Node.
 */
const [httpPort, h2cPort] = process.argv.slice(2).map(Number);
/** All connections may come at once. */
const BACKLOG = 4096;
const LARGE = Buffer.alloc(1024 * 1024, 'x');
/** A message of a WebSocket, as `load.ts` sends it: 8 bytes of head, the mask included. */
const MESSAGE = 16 * 1024;

const server = http.createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  request.on('error', () => {});
  response.on('error', () => {});
  const answer = () => response.end('ok');
  if (request.url === '/large') response.end(LARGE);
  else if (request.url === '/slow-sink') void readSlowly(request).then(answer, () => {});
  else request.resume().once('end', answer);
});

/** Reads 64 KiB every 50 ms. */
async function readSlowly(request: http.IncomingMessage): Promise<void> {
  let read = 0;
  for await (const chunk of request) {
    read += chunk.length;
    if (read < 64 * 1024) continue;
    read = 0;
    await pause(50);
  }
}

/** Echoes the messages of a WebSocket, whose mask is zero. */
server.on('upgrade', (_request, socket) => {
  socket.on('error', () => {});
  socket.write(
    'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
  );
  let unread: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    unread = unread.length === 0 ? chunk : Buffer.concat([unread, chunk]);
    while (unread.length >= MESSAGE + 8) {
      socket.write(Buffer.from([0x82, 0x7e, MESSAGE >> 8, MESSAGE & 255]));
      socket.write(unread.subarray(8, MESSAGE + 8));
      unread = unread.subarray(MESSAGE + 8);
    }
  });
  socket.on('end', () => socket.end());
});

/** Echoes the messages of calls, and ends them with OK. */
const grpc = http2.createServer();
grpc.on('session', (session) => session.on('error', () => {}));
grpc.on('stream', (stream: http2.ServerHttp2Stream) => {
  stream.on('error', () => {});
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.pipe(stream);
});

server.listen({ port: httpPort, host: '127.0.0.1', backlog: BACKLOG });
grpc.listen({ port: h2cPort, host: '127.0.0.1', backlog: BACKLOG }, () => console.log('ready'));
