import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '@sidekit/test-kit';
import { TestProxy } from '../testing/proxy.ts';
import { request, TestUpstream } from '../testing/upstream.ts';

for (const fastLane of [true, false]) {
  const lane = fastLane ? 'fast lane' : 'full lane';

  test(`${lane}: an upstream connection that is too old is replaced, never during a request`, async () => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    await using upstream = await TestUpstream.start(async ({ url }, response) => {
      if (url === '/long') {
        response.write('begun, ');
        await released;
      }
      response.end('whole');
    });
    await using proxy = await TestProxy.start({
      upstream: [upstream.url],
      upstreamMaxLifetime: '1s',
      upstreamIdleTimeout: '60s',
      fastLane,
    });
    const long = request(`${proxy.url}/long`);
    await eventually(() => upstream.requests === 1, { what: 'the long request is in progress' });
    // That of the long request, and three in a row that each replaced one that was too old.
    let served = 0;
    while (upstream.connections < 4) {
      assert.equal((await request(proxy.url)).status, 200);
      served++;
    }
    assert.ok(served > 3, 'a connection that is not too old is used again');
    release();
    assert.equal((await long).body, 'begun, whole');
    await eventually(
      () =>
        proxy.listeners.clusters[0]!.cluster.endpoints.every(
          ({ connections }) => connections === 0,
        ),
      {
        what: 'the idle ones are closed for their age, long before the idle timeout',
      },
    );
  });
}
