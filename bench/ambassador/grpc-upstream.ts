import http2 from 'node:http2';

/** Answers unary calls with a message of 10 bytes, on the port of the argument. */
const REPLY = Buffer.from([0, 0, 0, 0, 10, ...Buffer.from('0123456789')]);
const server = http2.createServer();
server.on('stream', (stream: http2.ServerHttp2Stream) => {
  stream.on('error', () => {});
  stream.resume();
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.end(REPLY);
});
server.listen({ port: Number(process.argv[2]), host: '127.0.0.1', backlog: 4096 });
