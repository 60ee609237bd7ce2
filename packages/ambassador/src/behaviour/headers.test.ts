import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually, startProgram, temporaryDirectory } from '@sidekit/test-kit';
import { TestProgram } from '../testing/program.ts';
import { TestProxy } from '../testing/proxy.ts';
import { request, TestUpstream } from '../testing/upstream.ts';

const MAIN = new URL('../main.ts', import.meta.url);

/** Responds with the fields of the request. */
const mirror = () =>
  TestUpstream.start((incoming, response) => {
    response.setHeader('X-Powered-By', 'app').setHeader('X-Kept', 'yes');
    response.end(JSON.stringify(incoming.headers));
  });

for (const fastLane of [true, false]) {
  const lane = fastLane ? 'fast lane' : 'full lane';

  test(`${lane}: fields are set, added and removed on requests and responses`, async () => {
    await using upstream = await mirror();
    await using proxy = await TestProxy.start({
      upstream: [upstream.url],
      fastLane,
      requestHeaders: [
        { set: 'X-Key', value: 'ours' },
        { add: 'X-Tag', value: 'b' },
        { remove: 'X-Debug' },
        { set: 'X-Forwarded-Proto', value: 'https' },
      ],
      responseHeaders: [
        { remove: 'x-powered-by' },
        { set: 'Strict-Transport-Security', value: 'max-age=60' },
      ],
    });
    const { body, headers } = await request(proxy.url, {
      headers: {
        ...{ 'x-key': 'theirs', x_key: 'theirs', 'x.key': 'theirs', 'x~key': 'theirs' },
        ...{ 'x-tag': 'a', 'x-debug': '1', x_debug: '2' },
      },
    });
    const seen = JSON.parse(body);
    assert.deepEqual(
      [seen['x-key'], seen['x-tag'], seen['x-debug'], seen['x-forwarded-proto']],
      ['ours', 'a, b', undefined, 'https'],
    );
    assert.doesNotMatch(body, /theirs|debug/);
    assert.deepEqual(
      [headers['x-powered-by'], headers['x-kept'], headers['strict-transport-security']],
      [undefined, 'yes', 'max-age=60'],
    );
  });

  test(`${lane}: the size of heads and the number of fields are options`, async () => {
    await using upstream = await TestUpstream.start((incoming, response) => {
      response.setHeader('X-Long', incoming.headers['x-long'] ?? '').end('ok');
    });
    Object.assign(upstream.server, { maxHeaderSize: 64 * 1024 });
    const options = { upstream: [upstream.url], fastLane, maxHeadSize: '40KiB', maxFields: 300 };
    await using proxy = await TestProxy.start(options);
    const many = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`x-${i}`, '1']));
    assert.equal((await request(proxy.url, { headers: many })).status, 200);
    const long = { 'x-long': 'x'.repeat(30_000) };
    const { status, headers } = await request(proxy.url, {
      headers: long,
      maxHeaderSize: 64 * 1024,
    });
    assert.equal(status, 200);
    assert.equal(headers['x-long'], long['x-long']);
    const longer = await request(proxy.url, { headers: { 'x-long': 'x'.repeat(50_000) } });
    assert.equal(longer.status, 431);
  });

  test(`${lane}: each client has its own rate, by its address or a field of a trusted proxy`, async () => {
    await using upstream = await mirror();
    const options = {
      upstream: [upstream.url],
      fastLane,
      clientRateLimit: 0.01,
      clientRateBurst: 2,
    };
    const from = async (proxy: TestProxy, client: string) =>
      (await request(proxy.url, { headers: { 'x-forwarded-for': `6.6.6.6, ${client}` } })).status;
    await using strangers = await TestProxy.start({
      ...options,
      clientRateHeader: 'X-Forwarded-For',
    });
    const statuses = [];
    for (const client of ['a', 'b', 'c']) statuses.push(await from(strangers, client));
    assert.deepEqual(statuses, [200, 200, 429]);
    await using trusted = await TestProxy.start({
      ...options,
      clientRateHeader: 'X-Forwarded-For',
      trustedProxies: ['127.0.0.1'],
    });
    statuses.length = 0;
    for (const client of ['a', 'a', 'a', 'b']) statuses.push(await from(trusted, client));
    assert.deepEqual(statuses, [200, 200, 429, 200]);
  });
}

test('a value from a file follows the file, one from a variable needs it, and no log shows them', async () => {
  using directory = temporaryDirectory('headers');
  const at = (name: string) => join(directory.path, name);
  writeFileSync(at('token'), 'first-secret\n');
  await using upstream = await mirror();
  writeFileSync(
    at('a.yaml'),
    `listen: 127.0.0.1:0
upstream: ["${upstream.url}"]
requestHeaders:
  - {set: Authorization, file: ${at('token')}, prefix: "Bearer "}
  - {set: X-Plain, value: plain-secret}
  - {set: X-Home, env: PATH}
`,
  );
  await using program = await TestProgram.start(['--config', at('a.yaml'), '--log-level', 'debug']);
  const { listeners } = await program.process.event('listening');
  const url = `http://${(listeners as { main: string }).main}/`;
  const seen = async () => JSON.parse((await request(url)).body);
  const first = await seen();
  assert.equal(first.authorization, 'Bearer first-secret');
  assert.equal(first['x-plain'], 'plain-secret');
  assert.equal(first['x-home'], process.env.PATH);
  // As of a writer that is not atomic: the value before stays.
  writeFileSync(at('token'), '');
  await program.process.event('configuration_refused');
  assert.equal((await seen()).authorization, 'Bearer first-secret');
  writeFileSync(at('token'), 'second-secret');
  await eventually(async () => (await seen()).authorization === 'Bearer second-secret', {
    what: 'the new token',
  });
  assert.doesNotMatch(program.process.stderr, /first-secret|second-secret|plain-secret/);
});

test('rules that cannot be applied are refused, all at once and without their values', async () => {
  using directory = temporaryDirectory('rules');
  const file = join(directory.path, 'bad.yaml');
  writeFileSync(
    file,
    `listen: ":0"
upstream: [http://127.0.0.1:1]
requestHeaders:
  - {set: Host, value: x}
  - {set: Content-Length, value: "1"}
  - {set: X-A}
  - {set: X-B, remove: X-C}
  - {set: "X A", value: secret-1}
  - {set: X-D, value: "a\\r\\nsecret-2: 1"}
`,
  );
  await using program = startProgram(MAIN, ['--config', file]);
  assert.equal((await program.exited).code, 64);
  for (const rule of [/requestHeaders\[4\]\.set/, /requestHeaders\[5\]\.value/])
    assert.match(program.stderr, rule);
  assert.doesNotMatch(program.stderr, /secret-[12]/);
});
