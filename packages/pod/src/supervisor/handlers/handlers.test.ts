import assert from 'node:assert/strict';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createHttp2, type ServerHttp2Stream } from 'node:http2';
import { createServer as createTcp, type Server } from 'node:net';
import { test } from 'node:test';
import { podOf } from '../../lifecycle/testing/simulation.ts';
import type { HttpGet } from '../../manifest/types.ts';
import { carryOut } from './carry-out.ts';
import { grpcCheck } from './grpc.ts';
import { httpGet } from './http.ts';

const [container] = podOf('containers: [{name: a, image: x}]').spec.containers;

async function listening(server: Server, host = '127.0.0.1') {
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const address = server.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  return { port, [Symbol.dispose]: () => void server.close() };
}

function probe(port: number, action: Partial<HttpGet> = {}, timeout = 60_000) {
  const target = {
    container,
    id: '',
    engine: undefined,
    listens: () => undefined,
    reach: () => ({ host: '127.0.0.1', port }),
  };
  const all = { path: '/', port, scheme: 'HTTP', host: undefined, httpHeaders: [], ...action };
  return httpGet(all as never, target as never, timeout);
}

async function get(answer: RequestListener, action: Partial<HttpGet> = {}, timeout?: number) {
  const server = createServer(answer);
  using place = await listening(server);
  const outcome = await probe(place.port, action, timeout);
  server.closeAllConnections();
  return outcome;
}

test('statuses from 200 to 399 are success', async () => {
  for (const [status, result] of [
    [200, 'success'],
    [204, 'success'],
    // A redirect without a Location is an answer like any other.
    [302, 'success'],
    [399, 'success'],
    [400, 'failure'],
    [500, 'failure'],
  ] as const) {
    const outcome = await get((_, response) => response.writeHead(status).end());
    assert.equal(outcome.result, result, String(status));
  }
});

test('a port by a name that the container does not give has no verdict', async () => {
  const target = {
    container,
    id: '',
    engine: undefined,
    listens: () => undefined,
    reach: () => ({ host: '127.0.0.1', port: 1 }),
  };
  const get = { path: '/', port: 'nowhere', scheme: 'HTTP', httpHeaders: [] };
  for (const handler of [{ httpGet: get }, { tcpSocket: { port: 'nowhere' } }]) {
    const { result, message } = await carryOut(handler as never, target as never, 1000);
    assert.equal(result, 'error');
    assert.match(message ?? '', /no port of the container has the name nowhere/);
  }
});

test('behind a published port, which accepts every connection, only a listener in the Pod is success', async () => {
  using published = await listening(createTcp((socket) => socket.destroy()));
  const reach = () => ({ host: '127.0.0.1', port: published.port });
  for (const [listens, result] of [
    [true, 'success'],
    [false, 'failure'],
    [undefined, 'success'],
  ] as const) {
    const target = { container, id: '', engine: undefined, reach, listens: () => listens };
    const outcome = await carryOut({ tcpSocket: { port: 9 } } as never, target as never, 5000);
    assert.equal(outcome.result, result, String(listens));
  }
});

test('redirects on one host are followed ten times, also to another port; to another host they are success', async () => {
  const hops = (last: number) => {
    let count = 0;
    return get((_, response) => {
      if (count++ < last) response.writeHead(302, { location: '/again' }).end();
      else response.end();
    });
  };
  assert.equal((await hops(10)).result, 'success');
  assert.deepEqual(await hops(11), { result: 'failure', message: 'stopped after 10 redirects' });
  using bad = await listening(createServer((_, response) => response.writeHead(500).end()));
  const otherPort = await get((_, response) =>
    response.writeHead(302, { location: `http://127.0.0.1:${bad.port}/` }).end(),
  );
  assert.equal(otherPort.result, 'failure');
  const otherHost = await get((_, response) =>
    response.writeHead(302, { location: 'http://elsewhere.invalid/' }).end(),
  );
  assert.match(otherHost.message ?? '', /redirect to another host: elsewhere\.invalid/);
  assert.equal(otherHost.result, 'success');
});

test('a body is read up to 10 KiB: an endless one is success, one that stalls or breaks is a failure', async () => {
  const endless = await get((_, response) => {
    const more = () => {
      while (!response.destroyed && response.write('x'.repeat(4096)));
    };
    response.on('drain', more);
    more();
  });
  assert.equal(endless.result, 'success');
  const stalls = await get((_, response) => void response.write('x'), {}, 200);
  assert.match(stalls.message ?? '', /in time/);
  const breaks = await get((_, response) => {
    response.writeHead(200, { 'content-length': 5 });
    response.write('x', () => response.destroy());
  });
  assert.equal(breaks.result, 'failure');
});

test('headers are sent as they were given: twice if given twice, the host, and no user agent if empty', async () => {
  let raw: readonly string[] = [];
  await get(
    (request, response) => {
      raw = request.rawHeaders;
      response.end();
    },
    {
      httpHeaders: [
        { name: 'X-A', value: 'one' },
        { name: 'X-A', value: 'two' },
        { name: 'Host', value: 'example.test' },
        { name: 'User-Agent', value: '' },
      ],
    },
  );
  assert.deepEqual(raw, [
    ...['Accept', '*/*', 'X-A', 'one', 'X-A', 'two', 'Host', 'example.test'],
    ...['Connection', 'close'],
  ]);
});

test('a host may be an IPv6 address', async (context) => {
  const server = createServer((_, response) => response.end());
  using place = await listening(server, '::1').catch(() => context.skip('no IPv6') as never);
  if (!place) return;
  assert.equal((await probe(place.port, { host: '::1' })).result, 'success');
});

test('a server that is not HTTP, or closed, is a failure', async () => {
  using noise = await listening(createTcp((socket) => socket.end('noise\r\n\r\n')));
  assert.equal((await probe(noise.port)).result, 'failure');
  assert.equal((await probe(1)).result, 'failure');
});

async function grpc(answer: (stream: ServerHttp2Stream) => void, timeout = 60_000) {
  const server = createHttp2();
  let asked = Buffer.alloc(0);
  let agent: unknown;
  server.on('stream', (stream, headers) => {
    agent = headers['user-agent'];
    stream.on('error', () => {});
    stream.on('data', (chunk: Buffer) => {
      asked = Buffer.concat([asked, chunk]);
    });
    answer(stream as ServerHttp2Stream);
  });
  using place = await listening(server as unknown as Server);
  const address = { host: '127.0.0.1', port: place.port };
  const outcome = await grpcCheck({ port: 1, service: 'db' }, address, timeout);
  return { outcome, asked, agent };
}

function answering(body: string, code: string) {
  return (stream: ServerHttp2Stream) => {
    stream.respond(
      { ':status': 200, 'content-type': 'application/grpc' },
      { waitForTrailers: true },
    );
    stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': code }));
    stream.end(Buffer.from(body, 'hex'));
  };
}

test('gRPC: SERVING alone is success', async () => {
  const { outcome, asked, agent } = await grpc(answering('00000000020801', '0'));
  assert.deepEqual(outcome, { result: 'success' });
  assert.equal(asked.toString('hex'), `00000000040a02${Buffer.from('db').toString('hex')}`);
  assert.match(String(agent), /^kube-probe\/1\.\d+$/);
  for (const body of ['00000000020802', '0000000000', '00000000020801ff', '0100000002080', '']) {
    assert.equal((await grpc(answering(body, '0'))).outcome.result, 'failure', body);
  }
});

test('gRPC: a server without the health service, another status, silence and no gRPC are failures', async () => {
  const unimplemented = await grpc((stream) => {
    stream.respond({ ':status': 200, 'grpc-status': '12' }, { endStream: true });
  });
  assert.match(unimplemented.outcome.message ?? '', /does not implement the grpc health protocol/);
  assert.match(
    (await grpc(answering('00000000020801', '5'))).outcome.message ?? '',
    /health rpc probe failed: code 5/,
  );
  assert.match((await grpc(() => {}, 200)).outcome.message ?? '', /did not complete within 0.2s/);
  const plain = await grpc((stream) => stream.respond({ ':status': 404 }, { endStream: true }));
  assert.match(plain.outcome.message ?? '', /no gRPC answer: HTTP status 404/);
  using noise = await listening(createTcp((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\n')));
  const address = { host: '127.0.0.1', port: noise.port };
  assert.equal((await grpcCheck({ port: 1, service: '' }, address, 5000)).result, 'failure');
});
