import assert from 'node:assert/strict';
import type http from 'node:http';
import { test } from 'node:test';
import { eventually, freePort } from '@sidekit/test-kit';
import { Load } from '../testing/load.ts';
import { TestProxy } from '../testing/proxy.ts';
import { sized } from '../testing/sized.ts';
import { TestUpstream } from '../testing/upstream.ts';

const METHODS = ['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS'];

for (const fastLane of [true, false]) {
  const lane = fastLane ? 'fast lane' : 'full lane';

  test(`${lane}: no idempotent request fails while the upstream restarts again and again`, async (t) => {
    const total = sized(4000, 100_000);
    const restarts = sized(4, 20);
    const port = await freePort();
    const serve: http.RequestListener = (incoming, response) => {
      incoming.resume().on('end', () => response.end(incoming.method === 'HEAD' ? '' : 'ok'));
    };
    let upstream = await TestUpstream.start(serve, port);
    await using proxy = await TestProxy.start({ upstream: [upstream.url], fastLane });
    let sent = 0;
    const load = new Load(proxy.port, 16, () => {
      if (sent >= total) return undefined;
      const method = METHODS[sent % METHODS.length]!;
      sent++;
      const body = method === 'PUT' ? 'Content-Length: 3\r\n\r\nput' : '\r\n';
      return `${method} / HTTP/1.1\r\nHost: a\r\n${body}`;
    });
    const before = () => proxy.metric('ambassador_retries_total');
    for (let i = 1; i <= restarts; i++) {
      await eventually(() => sent > (total / (restarts + 1)) * i, {
        what: `restart ${i}`,
        timeout: 600_000,
        interval: 1,
      });
      const retries = before();
      // Its connections are cut during requests, and for a while nothing listens.
      await upstream[Symbol.asyncDispose]();
      await eventually(() => before() > retries, { what: 'requests that are refused' });
      upstream = await TestUpstream.start(serve, port);
    }
    await load.done();
    await upstream[Symbol.asyncDispose]();
    t.diagnostic(`${load.answered} requests, ${restarts} restarts, ${before()} retries`);
    assert.deepEqual(load.failed, []);
    assert.equal(load.answered, total);
  });
}
