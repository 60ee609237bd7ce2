// What node:http2 alone costs: it answers from memory, with the fields that the proxies send.
const http2 = require('node:http2');

const body = Buffer.alloc(100, 'x');
const fields = [
  ...[':status', '200', 'server', 'nginx', 'content-type', 'text/plain'],
  ...['x-request-id', '2f7ad2b6-0e0c-4d3c-9d5e-3b3a3f1f7a55', 'content-length', '100'],
];
const server = http2.createServer();
server.on('stream', (stream) => {
  stream.respond(fields, { sendDate: false });
  stream.end(body);
});
server.listen(Number(process.argv[2]), '127.0.0.1');
