/** Servers of Debian's packages as upstreams. */
import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import http from 'node:http';
import { test } from 'node:test';
import { temporaryDirectory } from '@sidekit/test-kit';
import { TestProxy } from '../testing/proxy.ts';
import { APACHE, GUNICORN, HAPROXY, missing, startReal } from '../testing/real-upstreams.ts';
import { request } from '../testing/upstream.ts';

/** More than what is sent together with a head, and no more than sockets hold. */
const LARGE = 'x'.repeat(50_000);
const CHUNKED = { 'transfer-encoding': 'chunked' };
/** Requests that every server gets, directly and through either lane. */
const REQUESTS: readonly (http.RequestOptions & { path: string; body?: string })[] = [
  { method: 'GET', path: '/' },
  { method: 'HEAD', path: '/' },
  { method: 'GET', path: '/secret' },
  { method: 'OPTIONS', path: '/' },
  { method: 'POST', path: '/', body: 'a=b' },
  { method: 'POST', path: '/', body: LARGE },
  { method: 'POST', path: '/', headers: CHUNKED, body: 'a=b' },
  { method: 'PUT', path: '/', headers: CHUNKED, body: LARGE },
  { method: 'LIST', path: '/' },
];

for (const server of [APACHE, HAPROXY, GUNICORN]) {
  test(`${server.name} answers through the ambassador as it does directly`, {
    skip: missing(server),
  }, async () => {
    using directory = temporaryDirectory('upstream');
    chmodSync(directory.path, 0o755);
    await using upstream = await startReal(server, directory.path);
    for (const fastLane of [true, false]) {
      await using proxy = await TestProxy.start({ upstream: [upstream.url], fastLane });
      const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
      for (const { path, ...options } of REQUESTS) {
        const what = `${options.method} ${path} ${options.body?.length ?? 0}`;
        const direct = await answer(`${upstream.url}${path}`, options);
        assert.deepEqual(await answer(`${proxy.url}${path}`, options), direct, what);
        // A kept connection, which some servers close. The parser of the full lane takes a method
        // that it does not know only at the start of a connection.
        if (options.method !== 'LIST')
          assert.deepEqual(
            await answer(`${proxy.url}${path}`, { ...options, agent }),
            direct,
            what,
          );
      }
      agent.destroy();
    }
  });
}

test('a WSGI app gets the real client, whatever spelling of the field a stranger sends', {
  skip: missing(GUNICORN),
}, async () => {
  using directory = temporaryDirectory('upstream');
  await using upstream = await startReal(GUNICORN, directory.path);
  await using proxy = await TestProxy.start({ upstream: [upstream.url] });
  for (const name of ['X-Forwarded-For', 'X_Forwarded_For', 'x-forwarded_for']) {
    const { body } = await request(proxy.url, { headers: { [name]: '6.6.6.6' } });
    assert.equal(body, 'GET / 0 127.0.0.1', name);
  }
});

/** The status and the body; of the body only what does not depend on the way. */
async function answer(url: string, options: http.RequestOptions & { body?: string }) {
  const { status, body } = await request(url, options);
  return [status, body.replace(/ (None|127\.0\.0\.1)$/, '')];
}
