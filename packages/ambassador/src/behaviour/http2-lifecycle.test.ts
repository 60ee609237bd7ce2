import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { eventually } from '@sidekit/test-kit';
import { Http2Client } from '../testing/http2-client.ts';
import { TestProgram } from '../testing/program.ts';
import { TestProxy } from '../testing/proxy.ts';
import { sized } from '../testing/sized.ts';
import { later } from '../testing/slow.ts';
import { TestUpstream } from '../testing/upstream.ts';

test('a stop sends GOAWAY, serves what is on its way, and exits with 0', async () => {
  await using upstream = await TestUpstream.start((_incoming, response) =>
    later(500, () => response.end('ok')),
  );
  await using program = await TestProgram.serving(upstream.url);
  using client = await Http2Client.connect(program.url);
  using idle = await Http2Client.connect(program.url);
  let goaway: number | undefined;
  client.session.once('goaway', (_code, last) => (goaway = last));
  const running = Array.from({ length: 50 }, () => client.request({ ':path': '/' }));
  await eventually(() => upstream.requests === 50, { what: 'the requests' });
  program.process.kill('SIGTERM');
  await eventually(() => goaway !== undefined, { what: 'GOAWAY' });
  assert.equal(goaway, 2 ** 31 - 1, 'requests that cross it are served too');
  for (const { status, body } of await Promise.all(running))
    assert.deepEqual([status, body], [200, 'ok']);
  assert.equal((await program.process.exited).code, 0);
  if (!idle.session.closed) await once(idle.session, 'close');
});

test('reloads lose no request of an open session', async (t) => {
  const reloads = sized(5, 20);
  await using upstream = await TestUpstream.start((_incoming, response) => response.end('ok'));
  const options = { upstream: [upstream.url] };
  await using proxy = await TestProxy.start(options);
  using client = await Http2Client.connect(proxy.url);
  let running = true;
  let served = 0;
  const lane = async () => {
    while (running) {
      const { status, error } = await client.request({ ':path': '/' });
      assert.equal(status, 200, error ?? '');
      served++;
    }
  };
  const lanes = Array.from({ length: 16 }, lane);
  for (let i = 0; i < reloads; i++) {
    const before = served;
    await eventually(() => served > before + 100, { what: 'requests' });
    await proxy.reload({ ...options, maxPending: 2000 + i });
  }
  running = false;
  await Promise.all(lanes);
  t.diagnostic(`${served} requests, ${reloads} reloads`);
});
