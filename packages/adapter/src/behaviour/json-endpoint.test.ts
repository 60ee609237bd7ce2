import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { valuesOf } from '@sidekit/core/testing';
import { eventually, startProgram, temporaryDirectory } from '@sidekit/test-kit';
import { adapterTable } from '../options/table.ts';

const MAIN = new URL('../main.ts', import.meta.url);

/** A status page, and an adapter that polls it. */
async function polling(respond: RequestListener, endpoint: Record<string, unknown>) {
  const directory = temporaryDirectory('json');
  const server = createServer(respond);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/status`;
  const config = join(directory.path, 'adapter.json');
  writeFileSync(config, JSON.stringify({ jsonEndpoints: [{ url, interval: '1s', ...endpoint }] }));
  const program = startProgram(MAIN, [
    ...['--config', config, '--admin', '127.0.0.1:0', '--log-level', 'debug'],
  ]);
  const { port: admin } = await program.event('admin_listening');
  const get = async (path: string) => (await fetch(`http://127.0.0.1:${admin}${path}`)).text();
  const lines = async () => (await get('/metrics')).split('\n');
  return {
    program,
    url,
    get,
    directory: directory.path,
    /** Waits until all of these are lines of /metrics. */
    shows: async (...wanted: readonly string[]) => {
      await eventually(
        async () =>
          wanted.every(
            (
              (all) => (one) =>
                all.includes(one)
            )(await lines()),
          ),
        {
          what: wanted.join(),
        },
      );
    },
    without: (part: string) =>
      eventually(
        async () => !(await lines()).some((line) => !line.startsWith('#') && line.includes(part)),
        {
          what: `no ${part}`,
        },
      ),
    [Symbol.asyncDispose]: async () => {
      await program[Symbol.asyncDispose]();
      server.closeAllConnections();
      server.close();
      directory.remove();
    },
  };
}

test('a status page becomes metrics by paths, and what is gone from it is gone from them', async () => {
  let page: unknown = {
    uptime: '12.5',
    healthy: true,
    ready: 'True',
    draining: 'false',
    odd: ['', null, 'yes', 'truer', {}, 'NaN', '1e999', '0x10', ' 7 '],
    requests: 10,
    workers: [
      { id: 'a"b\n', busy: 3 },
      { id: 2, busy: 4, constructor: 1 },
    ],
    pools: { main: 5, spare: null },
  };
  await using s = await polling((_request, response) => response.end(JSON.stringify(page)), {
    metrics: [
      { name: 'app_uptime_seconds', path: '.uptime' },
      { name: 'app_healthy', path: '.healthy' },
      { name: 'app_ready', path: '.ready' },
      { name: 'app_draining', path: '.draining' },
      { name: 'app_odd', path: '.odd[*]', labels: { i: '$key' } },
      { name: 'app_requests_total', type: 'counter', path: '.requests' },
      {
        name: 'app_busy',
        path: '.workers[*]',
        value: '.busy',
        labels: { id: '.id', kind: 'worker' },
      },
      { name: 'app_pool', path: '.pools.*', labels: { pool: '$key' } },
      { name: 'app_worker_info', path: '.workers[*]', value: '1', labels: { index: '$key' } },
      { name: 'app_absent', path: '.absent.toString' },
    ],
  });
  const endpoint = `endpoint="${s.url}"`;
  await s.shows(
    ...[
      'app_uptime_seconds 12.5',
      'app_healthy 1',
      'app_ready 1',
      'app_draining 0',
      'app_odd{i="8"} 7',
      'app_requests_total 10',
    ],
    ...['app_busy{id="a\\"b\ufffd",kind="worker"} 3', 'app_busy{id="2",kind="worker"} 4'],
    ...['app_pool{pool="main"} 5', 'app_worker_info{index="1"} 1'],
    `adapter_json_endpoint_up{${endpoint}} 1`,
  );
  const dropped = await s.get('/metrics');
  assert.deepEqual(dropped.match(/^app_odd\{.*/gm), ['app_odd{i="8"} 7']);
  for (const cause of ['not_a_number', 'not_found']) {
    assert.match(
      dropped,
      new RegExp(`^adapter_json_dropped_values_total\\{.*cause="${cause}".*\\} [1-9]`, 'm'),
    );
  }
  page = { requests: 4, workers: [{ id: 2, busy: 9 }] };
  await s.shows('app_requests_total 4', 'app_busy{id="2",kind="worker"} 9');
  await s.without('app_uptime_seconds ');
  await s.without('kind="worker"} 3');
  s.program.kill();
  assert.equal((await s.program.exited).code, 0, s.program.stderr);
});

test('a page that is large, deep, slow, redirected or no JSON costs itself only, and is said', async () => {
  let answer: RequestListener = (_request, response) =>
    response.end(`{"n":1,"x":"${'y'.repeat(5000)}"}`);
  const other: string[] = [];
  await using s = await polling(
    (request, response) => {
      if (request.url !== '/status') other.push(request.url ?? '');
      answer(request, response);
    },
    { maxBytes: '4KiB', timeout: '1s', metrics: [{ name: 'n', path: '.n' }] },
  );
  const warns = (rule: RegExp) =>
    eventually(async () => rule.test(await s.get('/readyz')), { what: String(rule) });
  await warns(/larger than 4KiB/);
  answer = (_request, response) => response.writeHead(302, { location: '/other' }).end();
  await warns(/status 302/);
  answer = (_request, response) => response.end('<html>');
  await warns(/not JSON/);
  answer = (_request, response) =>
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('{"n":1}'));
  await warns(/encoding gzip/);
  answer = (_request, response) => response.write('{"n":');
  await warns(/within 1000 ms/);
  assert.equal((await s.program.event('json_poll_failed')).endpoint, s.url);
  const deep = `${'['.repeat(900)}${']'.repeat(900)}`;
  answer = (_request, response) => response.end(`\ufeff{"n":7,"deep":${deep}}`);
  await s.shows('n 7');
  await eventually(async () => !(await s.get('/readyz')).includes('json endpoint'), {
    what: 'no warning',
  });
  assert.deepEqual(other, []);
});

test('series are bounded, and the credentials of a file are sent but never shown', async () => {
  const authorizations = new Set<string | undefined>();
  let length = 50;
  await using s = await polling(
    (request, response) => {
      authorizations.add(request.headers.authorization);
      response.end(JSON.stringify({ list: Array.from({ length }, (_one, i) => i) }));
    },
    {
      maxSeries: 10,
      headers: { authorization: 'Bearer hidden' },
      metrics: [{ name: 'item', path: '.list[*]', labels: { i: '$key' } }],
    },
  );
  await s.shows('item{i="9"} 9');
  await eventually(async () => /more than 10 series/.test(await s.get('/readyz')), { what: 'cap' });
  await s.without('item{i="10"}');
  length = 10;
  await eventually(async () => !/series/.test(await s.get('/readyz')), { what: 'room for all' });
  await s.shows('item{i="9"} 9');
  assert.deepEqual([...authorizations], ['Bearer hidden']);
  assert.doesNotMatch(s.program.stderr, /hidden/);
});

test('endpoints that cannot work are refused with all their faults', () => {
  const endpoint = (metrics: unknown[], more = {}) => ({
    url: 'http://127.0.0.1:1/',
    metrics,
    ...more,
  });
  const refused = (jsonEndpoints: unknown[], rule: RegExp) =>
    assert.throws(() => valuesOf(adapterTable, { jsonEndpoints }), rule);
  refused([endpoint([{ name: 'a', path: 'x' }])], /path/);
  refused([endpoint([{ name: 'a', path: '.x', value: 'y' }])], /must be a path or a number/);
  refused([endpoint([{ name: 'a', path: '.x', labels: { le: '.y' } }])], /label name/);
  refused([endpoint([{ name: 'process_x', path: '.x' }])], /prefix/);
  refused(
    [endpoint([{ name: 'a', path: '.x' }]), endpoint([{ name: 'a', path: '.x' }])],
    /is used by jsonEndpoints\[0\]/,
  );
  refused(
    [
      endpoint([
        { name: 'a', path: '.x' },
        { name: 'a', path: '.y', type: 'counter' },
      ]),
    ],
    /is used by/,
  );
  refused([endpoint([], { bearerFile: '/a', basicFile: '/b' })], /exclude each other/);
  const { jsonEndpoints } = valuesOf(adapterTable, {
    jsonEndpoints: [endpoint([{ name: 'a', path: '.' }])],
  });
  assert.equal(jsonEndpoints[0]?.interval, 15_000);
});
