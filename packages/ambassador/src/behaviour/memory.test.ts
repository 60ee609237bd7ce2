import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { createLog } from '@sidekit/core';
import { eventually } from '@sidekit/test-kit';
import { TestProxy } from '../testing/proxy.ts';
import { RawClient } from '../testing/raw.ts';
import { TestUpstream } from '../testing/upstream.ts';

/** Leaves the smallest budget. */
const NO_MEMORY = 1;
const PAUSES = 'ambassador_memory_pauses_total';
const WAITING = 'ambassador_memory_waiting_bytes';
const REFUSED = 'ambassador_upstream_failures_total{listener="main",flag="OM"}';
/** The size of a body, in bytes: more than a read, so that none is complete while it waits. */
const SIZE = 256 * 1024;

for (const { lane, framing, body } of [
  { lane: 'fast', framing: `Content-Length: ${SIZE}`, body: 'x'.repeat(SIZE) },
  {
    lane: 'full',
    framing: 'Transfer-Encoding: chunked',
    body: `${SIZE.toString(16)}\r\n${'x'.repeat(SIZE)}\r\n0\r\n\r\n`,
  },
]) {
  test(`${lane} lane: bodies beyond the memory budget wait, then get 503, and all others arrive`, async () => {
    const events: string[] = [];
    const log = createLog({
      name: 'test',
      write: (line: string) => events.push(JSON.parse(line).event),
    });
    // The response to the first request waits: all others wait for its connection.
    let first: ServerResponse | undefined;
    await using upstream = await TestUpstream.start((request, response) => {
      request.resume().on('end', () => {
        if (first === undefined) first = response;
        else response.end('ok');
      });
    });
    const options = { maxUpstreamConnections: 1, connectTimeout: '10m' };
    await using proxy = await TestProxy.start(
      { upstream: [upstream.url], ...options },
      log,
      NO_MEMORY,
    );
    using clients = new DisposableStack();
    const all: RawClient[] = [];
    const send = () => {
      const client = clients.use(new RawClient(proxy.port));
      client.send(`POST / HTTP/1.1\r\nHost: a\r\n${framing}\r\n\r\n${body}`);
      all.push(client);
    };
    send();
    await eventually(() => first !== undefined, { what: 'the first request is at the upstream' });
    const refused = () => all.filter(({ received }) => received.startsWith('HTTP/1.1 503 '));
    await eventually(
      () => {
        if (all.length < 1000) send();
        return refused().length > 0;
      },
      { what: 'a request is refused' },
    );
    assert.equal(proxy.metric(PAUSES), 1);
    assert.ok(proxy.metric(REFUSED) >= 1);
    assert.ok(events.includes('memory_budget_used_up'), `${events}`);
    assert.ok(events.includes('request_failed'), `${events}`);
    first!.end('ok');
    await eventually(() => all.every(({ received }) => /\r\n\r\n./s.test(received)), {
      what: 'each request has its response',
    });
    for (const { received } of all) assert.match(received, /^HTTP\/1\.1 (?:200|503) /);
    assert.equal(proxy.metric(REFUSED), refused().length);
    // The smallest budget has room for sixteen of them; how many more came is a matter of speed.
    assert.ok(all.length - refused().length >= 8, 'those that were admitted were served');
    await eventually(() => proxy.metric(WAITING) === 0, { what: 'nothing waits' });
  });
}
