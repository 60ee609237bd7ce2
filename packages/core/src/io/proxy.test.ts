import assert from 'node:assert/strict';
import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { test } from 'node:test';
import { send } from './http-client.ts';
import { proxyAgent, proxyFor } from './proxy.ts';

const HTTP_PROXY = 'http://anna:s3cret@proxy.example:3128';

test('the scheme chooses the variable, and lower case goes first', () => {
  const environment = { HTTP_PROXY, https_proxy: 'proxy.example:3129', HTTPS_PROXY: 'http://no' };
  assert.equal(proxyFor('http://host/', environment), HTTP_PROXY);
  assert.equal(proxyFor('https://host/', environment), 'http://proxy.example:3129');
  assert.equal(proxyFor('http://host/', {}), undefined);
});

test('loopback and the Kubernetes API never go through a proxy', () => {
  const environment = { HTTP_PROXY, HTTPS_PROXY: HTTP_PROXY, KUBERNETES_SERVICE_HOST: '10.0.0.1' };
  for (const url of [
    'http://localhost:80/',
    'http://app.localhost/',
    'http://127.8.8.8/',
    'http://[::1]:8080/',
    'http://[::ffff:127.0.0.1]/',
    'http://[0:0:0:0:0:0:0:1]/',
    'https://10.0.0.1/api',
    'https://kubernetes.default.svc/api',
    'https://kubernetes.default.svc.cluster.local/api',
  ]) {
    assert.equal(proxyFor(url, environment), undefined, url);
  }
  assert.equal(proxyFor('https://kubernetes.io/', environment), HTTP_PROXY);
});

test('the Kubernetes API and this host are recognised in every form of their address', () => {
  for (const [api, host] of [
    ['fd00:0:0::1', '[fd00::1]'],
    ['FD00::1', '[fd00::1]'],
    ['api.example', 'API.example.'],
  ] as const) {
    const environment = { HTTPS_PROXY: HTTP_PROXY, KUBERNETES_SERVICE_HOST: api };
    assert.equal(proxyFor(`https://${host}/`, environment), undefined, api);
  }
  for (const host of ['0.0.0.0', '0', '[::]', 'localhost.', 'LOCALHOST'])
    assert.equal(proxyFor(`http://${host}/`, { HTTP_PROXY }), undefined, host);
});

test('NO_PROXY holds names, subdomains, addresses, ranges and ports', () => {
  const exempt = (entry: string, host: string) =>
    proxyFor(`http://${host}/`, { HTTP_PROXY, NO_PROXY: `x.example, ${entry}` }) === undefined;
  for (const [entry, host, wanted] of [
    ['*', 'a.example', true],
    ['a.example', 'a.example', true],
    ['a.example', 'b.a.example', true],
    ['a.example', 'ba.example', false],
    ['.a.example', 'a.example', false],
    ['.a.example', 'b.a.example', true],
    ['*.a.example', 'b.a.example', true],
    ['A.Example', 'a.example', true],
    ['a.example.', 'a.example', true],
    ['a.example', 'a.example.', true],
    ['10.0.0.0/8', '10.9.8.7', true],
    ['10.0.0.0/8', '11.9.8.7', false],
    ['10.0.0.0/99', '10.0.0.0', false],
    ['fd00::/8', '[fd12::1]', true],
    ['10.1.2.3', '10.1.2.3', true],
    ['10.1.2.3', '10.1.2.4', false],
    ['FD00:0:0::00A1', '[fd00::a1]', true],
    ['[fd00:0::a1]:8080', '[fd00::a1]:8080', true],
    ['[fd00:0::a1]:8080', '[fd00::a1]', false],
    ['[fd00::/8]', '[fd00::a1]', true],
    ['a.example:8080', 'a.example:8080', true],
    ['a.example:8080', 'a.example', false],
    ['a.example:80', 'a.example', true],
  ] as const) {
    assert.equal(exempt(entry, host), wanted, `${entry} ${host}`);
  }
});

test('a variable that is no URL of a proxy is a fault that does not show it', () => {
  for (const proxy of [
    'socks5://anna:s3cret@p:1080',
    'http://anna:s3cret@:99999',
    'http://anna:12/s3cret@p:3128',
    'http://anna:12?s3cret@p:3128',
    'http://anna:12#s3cret@p:3128',
    'http://anna:s3cret%E4@p:3128',
  ]) {
    assert.throws(
      () => proxyFor('http://host/', { HTTP_PROXY: proxy }),
      (error: Error) => /HTTP_PROXY must be/.test(error.message) && !/s3cret/.test(error.message),
    );
  }
});

test('a password of a proxy may hold any character', async () => {
  const seen: string[] = [];
  const proxy = createServer(({ headers }, response) => {
    const [, pair = ''] = (headers['proxy-authorization'] ?? '').split(' ');
    seen.push(Buffer.from(pair, 'base64').toString());
    response.end();
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const { port } = proxy.address() as AddressInfo;
  const url = 'http://a.example/';
  const passwords = ['100%', '%zz%', 'a%20b', '%40%3A%2F%23', 'ü', '%C3%BC', 'a+b', ' x '];
  for (const password of passwords) {
    const environment = { HTTP_PROXY: `  anna:${password}@127.0.0.1:${port}\n` };
    await send(url, { timeout: 30_000, agent: proxyAgent(url, {}, environment) });
  }
  proxy.closeAllConnections();
  proxy.close();
  const plain = ['100%', '%zz%', 'a b', '@:/#', 'ü', 'ü', 'a+b', ' x '];
  assert.deepEqual(
    seen,
    plain.map((password) => `anna:${password}`),
  );
});

test('requests go through the proxy with its credentials, https in a tunnel', async () => {
  const seen: string[] = [];
  const note = ({ method, url, headers }: IncomingMessage) =>
    seen.push(`${method} ${url} ${headers['proxy-authorization']}`);
  const proxy = createServer((request, response) => {
    note(request);
    response.end('by the proxy');
  });
  const target = createServer((_, response) => response.end('x'));
  proxy.on('connect', (request, socket) => {
    note(request);
    // The target speaks no TLS: the handshake inside the tunnel fails.
    const upstream = connect((target.address() as AddressInfo).port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      socket.pipe(upstream).pipe(socket);
    });
    for (const one of [upstream, socket]) one.on('error', () => socket.destroy());
  });
  for (const server of [proxy, target]) {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  }
  const { port } = proxy.address() as AddressInfo;
  const environment = { HTTP_PROXY: `http://anna:pw@127.0.0.1:${port}` };
  const all = { ...environment, HTTPS_PROXY: environment.HTTP_PROXY };
  try {
    const url = 'http://a.example/path';
    const agent = proxyAgent(url, {}, environment);
    const { body } = await send(url, { timeout: 30_000, agent });
    assert.equal(body.toString(), 'by the proxy');
    const secure = 'https://b.example/';
    const tunnel = proxyAgent(secure, {}, all);
    await assert.rejects(send(secure, { timeout: 30_000, agent: tunnel }));
    const credentials = `Basic ${Buffer.from('anna:pw').toString('base64')}`;
    assert.deepEqual(seen, [
      `GET http://a.example/path ${credentials}`,
      `CONNECT b.example:443 ${credentials}`,
    ]);
  } finally {
    proxy.closeAllConnections();
    proxy.close();
    target.close();
  }
});
