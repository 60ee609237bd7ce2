import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Http2Client } from '../testing/http2-client.ts';
import { Http2Upstream } from '../testing/http2-upstream.ts';
import { TestProgram } from '../testing/program.ts';
import { sized } from '../testing/sized.ts';
import { TestUpstream } from '../testing/upstream.ts';

/** Requests at a time: few, so that few are in progress when garbage is collected. */
const STREAMS = 8;

async function send(client: Http2Client, count: number): Promise<void> {
  let left = count;
  const one = async () => {
    while (left-- > 0) {
      const { status } = await client.request({ ':path': '/' });
      assert.equal(status, 200);
    }
  };
  await Promise.all(Array.from({ length: STREAMS }, one));
}

for (const { protocol, most, start } of [
  {
    protocol: 'HTTP/1.1',
    most: 2000,
    start: () => TestUpstream.start((_request, response) => response.end('ok')),
  },
  {
    protocol: 'HTTP/2',
    most: 3200,
    start: () =>
      Http2Upstream.start((stream) => {
        stream.respond({ ':status': 200 });
        stream.end('ok');
      }),
  },
]) {
  test(`requests over HTTP/2 to ${protocol} die in the young generation`, async (t) => {
    const total = sized(1500, 100_000);
    await using upstream = await start();
    await using program = await TestProgram.tracing(upstream.url);
    using client = await Http2Client.connect(program.url);
    // Code, caches and what exists once a session.
    await send(client, 2000);
    const before = program.promoted;
    assert.ok(before > 0, 'the trace is read');
    await send(client, total);
    const each = (program.promoted - before) / total;
    t.diagnostic(`${total} requests, ${Math.round(each)} bytes of each promoted`);
    assert.ok(each < most, `${each} bytes of each request were promoted`);
  });
}
