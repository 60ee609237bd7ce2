import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freePort } from '@sidekit/test-kit';
import { TestProxy } from '../testing/proxy.ts';
import { request, TestUpstream } from '../testing/upstream.ts';

/** Responds with its name, the target and one field. */
const named = (name: string) =>
  TestUpstream.start((incoming, response) => {
    if (incoming.url === '/never') return;
    response.end(`${name} ${incoming.url} ${incoming.headers['x-forwarded-prefix'] ?? '-'}`);
  });

for (const fastLane of [true, false]) {
  const lane = fastLane ? 'fast lane' : 'full lane';

  test(`${lane}: host and path prefix choose the upstream, with and without strip`, async () => {
    await using web = await named('web');
    await using api = await named('api');
    await using shop = await named('shop');
    await using proxy = await TestProxy.start({
      upstream: [web.url],
      fastLane,
      routes: [
        { prefix: '/api', upstream: [api.url], stripPrefix: true },
        { host: 'shop.example', upstream: [shop.url] },
      ],
    });
    const get = async (path: string, host = 'a') =>
      (await request(proxy.url, { path, headers: { host, 'x-forwarded-prefix': '/evil' } })).body;
    assert.equal(await get('/'), 'web / -');
    assert.equal(await get('/apis'), 'web /apis -');
    assert.equal(await get('/api'), 'api / /api');
    assert.equal(await get('/api/x?y=1'), 'api /x?y=1 /api');
    assert.equal(await get('/api', 'shop.example'), 'shop /api -');
  });

  test(`${lane}: a route has its own timeouts, limits and header rules`, async () => {
    await using web = await named('web');
    await using slow = await named('slow');
    await using proxy = await TestProxy.start({
      upstream: [web.url],
      fastLane,
      responseHeaders: [{ set: 'X-From', value: 'listener' }],
      routes: [
        {
          prefix: '/slow',
          stripPrefix: true,
          upstream: [slow.url],
          maxBody: '10',
          rateLimit: 0.01,
          rateBurst: 3,
          responseHeaders: [{ set: 'X-From', value: 'route' }],
        },
        // Alone, since a loaded machine may be as slow at any request.
        { prefix: '/never', upstream: [slow.url], responseTimeout: '100ms' },
      ],
    });
    assert.equal((await request(`${proxy.url}/never`)).status, 504);
    const large = { method: 'POST', body: 'x'.repeat(11) };
    assert.equal((await request(`${proxy.url}/slow/x`, large)).status, 413);
    assert.equal((await request(`${proxy.url}/x`, large)).status, 200);
    const { headers } = await request(`${proxy.url}/slow/x`);
    assert.equal(headers['x-from'], 'route');
    assert.equal((await request(`${proxy.url}/x`)).headers['x-from'], 'listener');
    const statuses = [];
    for (let i = 0; i < 4; i++) statuses.push((await request(`${proxy.url}/slow/x`)).status);
    assert.equal(statuses.at(-1), 429);
    assert.equal((await request(`${proxy.url}/x`)).status, 200);
  });

  test(`${lane}: without a match it is 404, and dot segments are refused`, async () => {
    await using api = await named('api');
    await using proxy = await TestProxy.start({
      fastLane,
      routes: [{ prefix: '/api', upstream: [api.url] }],
    });
    const status = async (path: string) => (await request(proxy.url, { path })).status;
    assert.equal(await status('/other'), 404);
    assert.equal(await status('/api/x'), 200);
    for (const path of ['/api/../admin', '/api/%2e%2e/admin', '/api/./x'])
      assert.equal(await status(path), 400, path);
  });

  test(`${lane}: routes are reloaded, and keep-alive connections use the new ones`, async () => {
    await using one = await named('one');
    await using two = await named('two');
    const options = (upstream: string) => ({ fastLane, routes: [{ upstream: [upstream] }] });
    await using proxy = await TestProxy.start(options(one.url));
    assert.match((await request(proxy.url)).body, /^one/);
    await proxy.reload(options(two.url));
    assert.match((await request(proxy.url)).body, /^two/);
  });
}

test('routes that cannot work are refused', async () => {
  const port = await freePort();
  const upstream = [`http://127.0.0.1:${port}`];
  for (const [routes, rule] of [
    [
      [
        { prefix: '/a', upstream },
        { prefix: '/a/', upstream },
      ],
      /host and prefix of an earlier/,
    ],
    [[{ prefix: 'a', upstream }], /prefix "a" must be a path/],
    [[{ host: 'A.example', upstream }], /must be a host in lower case/],
    [[{ upstream: ['tcp://a:1'] }], /must have one of the schemes http, https, h2c, unix/],
    [[{ prefix: '/a' }], /upstream is missing|is required/],
  ] as const)
    await assert.rejects(TestProxy.start({ upstream, routes }), rule);
});
