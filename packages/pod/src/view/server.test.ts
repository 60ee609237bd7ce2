import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, type OutgoingHttpHeaders, request } from 'node:http';
import { test } from 'node:test';
import { eventually } from '@sidekit/test-kit';
import { podView } from './pod-view.ts';
import { createKeys, createViewServer, type ViewKeys } from './server.ts';
import { FakeSource } from './testing/fake-source.ts';
import { simulatedPod } from './testing/simulated-pod.ts';

async function serve() {
  const source = new FakeSource();
  const { status, events } = simulatedPod({
    name: 'shop',
    spec: 'containers: [{name: app, image: x}]',
    age: 1000,
  });
  source.set(podView(status, events, []));
  const keys = createKeys();
  const server = createViewServer(source, keys).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  return {
    source,
    keys,
    port,
    get: (path: string, headers: OutgoingHttpHeaders = {}, method = 'GET') =>
      get(port, path, headers, method),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

async function get(port: number, path: string, headers: OutgoingHttpHeaders, method: string) {
  const outgoing = request({ host: '127.0.0.1', port, path, method, headers, agent: false });
  outgoing.end();
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  return response;
}

const owner = (keys: ViewKeys) => ({ cookie: `view=${keys.session}` });

test('the token is exchanged for a cookie that scripts cannot read and other paths do not get', async () => {
  await using view = await serve();
  const { keys } = view;
  const response = await view.get(`/?token=${keys.token}`);
  assert.equal(response.statusCode, 303);
  assert.equal(response.headers.location, `/${keys.path}/`);
  assert.deepEqual(response.headers['set-cookie'], [
    `view=${keys.session}; Path=/${keys.path}/; HttpOnly; SameSite=Strict`,
  ]);
  const page = await view.get(`/${keys.path}/`, owner(keys));
  assert.equal(page.statusCode, 200);
  assert.match(String(page.headers['content-security-policy']), /default-src 'none'/);
});

test('who has no token, a wrong one, or only the path or only the cookie gets nothing', async () => {
  await using view = await serve();
  const { keys } = view;
  const refused: [string, OutgoingHttpHeaders][] = [
    ['/', {}],
    ['/?token=', {}],
    [`/?token=${keys.token.slice(1)}`, {}],
    [`/?token=${keys.session}`, {}],
    [`/${keys.path}/`, {}],
    [`/${keys.path}/pods`, { cookie: 'view=wrong' }],
    ['/pods', owner(keys)],
    [`/${keys.token}/pods`, owner(keys)],
  ];
  for (const [path, headers] of refused) {
    assert.equal((await view.get(path, headers)).statusCode, 403, path);
  }
});

test('a request for another host name, from another origin or site, is refused with the cookie too', async () => {
  await using view = await serve();
  const { keys, port } = view;
  const foreign: OutgoingHttpHeaders[] = [
    { host: `evil.example:${port}` },
    { host: '127.0.0.1' },
    { host: `127.0.0.1:${port + 1}` },
    { origin: 'http://evil.example' },
    { origin: `http://127.0.0.1:${port + 1}` },
    { origin: 'null' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
  ];
  for (const headers of foreign) {
    const response = await view.get(`/${keys.path}/pods`, { ...owner(keys), ...headers });
    assert.equal(response.statusCode, 403, JSON.stringify(headers));
  }
  const post = await view.get(`/${keys.path}/`, owner(keys), 'POST');
  assert.equal(post.statusCode, 405);
});

test('a client that leaves ends what the server does for it', async () => {
  await using view = await serve();
  const { keys, source } = view;
  const pods = await view.get(`/${keys.path}/pods`, owner(keys));
  const logs = await view.get(`/${keys.path}/logs?pod=shop`, owner(keys));
  const [chunk] = await once(pods.setEncoding('utf8'), 'data');
  assert.match(String(chunk), /retry|shop/);
  await eventually(() => source.watched === 1 && source.followed.length === 1, { what: 'both' });
  pods.destroy();
  logs.destroy();
  await eventually(() => source.watched === 0 && source.followed.length === 0, { what: 'neither' });
});

test('there are no files but those of the page', async () => {
  await using view = await serve();
  const { keys } = view;
  for (const path of ['../package.json', '%2e%2e/package.json', '__proto__', 'constructor']) {
    const response = await view.get(`/${keys.path}/${path}`, owner(keys));
    assert.ok([403, 404].includes(response.statusCode ?? 0), path);
  }
});
