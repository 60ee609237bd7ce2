import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyPod } from '../engine/index.ts';

/** `demo.Message { text: "hello" }` with the prefix of a message. */
const HELLO = Buffer.from('\0\0\0\0\x07\x0a\x05hello', 'latin1');

/** Calls `demo.Echo/Say` over HTTP/2 without a library, and prints the reply and its status. */
const CALL = `
const session = require('http2').connect('http://127.0.0.1:8080');
const stream = session.request({ ':method': 'POST', ':path': '/demo.Echo/Say',
  'content-type': 'application/grpc', te: 'trailers', 'grpc-timeout': '20S' });
let body = '';
stream.on('data', (chunk) => body += chunk.toString('latin1'));
stream.on('trailers', (fields) => console.log(body.slice(7), fields['grpc-status']));
stream.on('close', () => session.close());
stream.end(Buffer.from('${HELLO.toString('hex')}', 'hex'));
`;

test('one port serves pages, gRPC and gRPC-Web, and gRPC probes make the Pod ready', async () => {
  await using session = await applyPod('grpc');
  await session.ready('grpc');
  const page = await session.http('grpc', 8080, '/grpc');
  assert.match(page.body, /gRPC from a browser/);

  const { stdout, stderr } = await session.exec('grpc', 'app', ['/nodejs/bin/node', '-e', CALL]);
  assert.equal(stdout.trim(), 'hello 0', stderr);

  const web = await session.http('grpc', 8080, '/demo.Echo/Say', {
    method: 'POST',
    headers: { 'content-type': 'application/grpc-web-text+proto' },
    body: HELLO.toString('base64'),
  });
  assert.equal(web.status, 200);
  const [message = '', trailers = ''] = web.body
    .split(/(?<==)(?!=)/)
    .map((part) => Buffer.from(part, 'base64').toString('latin1'));
  assert.equal(message.slice(7, 12), 'hello');
  assert.match(message + trailers, /grpc-status: 0\r\n/);

  await session.logged('grpc', 'proxy', /"path":"\/demo\.Echo\/Say".*"grpcStatus":0/);
  const { body } = await session.http('grpc', 9901, '/metrics');
  assert.match(body, /rpc_server_call_duration_seconds_count\{.*"OK"\} [1-9]/);
});
