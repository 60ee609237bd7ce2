import assert from 'node:assert/strict';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually, startProgram, temporaryDirectory, testEarlyStop } from '@sidekit/test-kit';
import { TestProgram } from './testing/program.ts';
import { request, TestUpstream } from './testing/upstream.ts';

const MAIN = new URL('./main.ts', import.meta.url);

testEarlyStop(MAIN, [
  ...['--listen', '127.0.0.1:0', '--upstream', 'http://127.0.0.1:1', '--admin', '127.0.0.1:0'],
]);

test('a configuration with ten faults names all ten, and nothing is started', async () => {
  using directory = temporaryDirectory('faults');
  const file = join(directory.path, 'bad.yaml');
  writeFileSync(
    file,
    `listeners:
  - name: Web!
    listen: "8080"
    upstream: [http://127.0.0.1:5000/path, ftp://x]
    protocol: udp
    direction: sideways
    responseTimeout: 5
    maxPending: -1
    trustedProxies: [10.0.0.0/33]
    retries: 3
accessLog: some
`,
  );
  const program = startProgram(MAIN, ['--config', file, '--drain-delay', 'soon']);
  const { code } = await program.exited;
  assert.equal(code, 64);
  for (const name of [
    'name',
    'listen',
    'upstream',
    'protocol',
    'direction',
    'responseTimeout',
    'maxPending',
    'trustedProxies',
    'retries',
  ])
    assert.match(program.stderr, new RegExp(`listeners\\[0\\]\\.${name}`), name);
  assert.match(program.stderr, /accessLog "some" must be one of/);
  assert.match(program.stderr, /--drain-delay "soon" must be a duration/);
  assert.ok(
    program.stderr.split('\n').filter((line) => line.startsWith('  ')).length >= 10,
    program.stderr,
  );
  assert.doesNotMatch(program.stderr, /\n {4}at /, 'no stack');
});

test('faults between options are reported with their remedy', async () => {
  for (const [args, message] of [
    [[], /--listen is missing: give --listen :8080 --upstream/],
    [['--listen', ':8080'], /--upstream is missing/],
    [
      ['--listen', ':8080', '--upstream', 'tcp://a:1'],
      /must have one of the schemes http, https, h2c, unix with protocol http/,
    ],
    [
      ['--listen', ':8080', '--upstream', 'http://127.0.0.1:8080'],
      /--upstream ":8080" is the address of its own listener/,
    ],
    [
      ['--listen', '127.0.0.1:9901', '--upstream', 'http://a'],
      /--listen "127.0.0.1:9901" is taken by the admin port/,
    ],
    [
      ['--listen', ':8081', '--upstream', 'http://127.0.0.1:8080', '--exposed', '8080'],
      /--exposed "?8080"? is not a port of a listener \(8081\): Services .* would bypass .*ambassador\/port last/,
    ],
    [
      ['--listen', ':8080', '--upstream', 'http://a', '--grpc-web-origins', 'https://b'],
      /--grpc-web-origins needs upstreams with the scheme h2c or https/,
    ],
    [
      ['--listen', ':8080', '--upstream', 'http://a', '--tls-cert', '/x'],
      /--tls-key is missing: a certificate and its key go together/,
    ],
  ] as const) {
    const program = startProgram(MAIN, args);
    assert.equal((await program.exited).code, 64);
    assert.match(program.stderr, message);
  }
});

test('an address in use ends the start with its remedy', async () => {
  await using upstream = await TestUpstream.start((_request, response) => response.end());
  const program = startProgram(MAIN, [
    '--listen',
    `127.0.0.1:${upstream.port}`,
    '--upstream',
    'http://127.0.0.1:1',
    '--admin',
    '127.0.0.1:0',
  ]);
  assert.equal((await program.exited).code, 70);
  assert.match(program.stderr, /listener main .* cannot be listened on .*choose another port/);
});

test('the access log has a line for each request, in both lanes and formats, and follows a rotation', async () => {
  using directory = temporaryDirectory('access');
  await using upstream = await TestUpstream.start((_request, response) => response.end('hello'));
  for (const format of ['json', 'combined']) {
    const path = join(directory.path, `${format}.log`);
    await using program = await TestProgram.serving(
      upstream.url,
      ...['--access-log', 'all', '--access-log-format', format, '--access-log-file', path],
      ...['--drain-delay', '0'],
    );
    const url = `${program.url}a%22b?c=%22`;
    const headers = { 'user-agent': 'a "b"\xe9', 'x-request-id': 'given-1' };
    await request(url, { headers });
    await request(url, { headers, method: 'PROPFIND' });
    const lines = () =>
      readFileSync(path, 'utf8')
        .split('\n')
        .filter((line) => line !== '');
    await eventually(() => lines().length === 2, { what: 'two lines' });
    for (const [i, line] of lines().entries()) {
      const method = i === 0 ? 'GET' : 'PROPFIND';
      if (format === 'json') {
        const record = JSON.parse(line);
        assert.equal(record.method, method);
        assert.equal(record.requestId, 'given-1');
        assert.deepEqual(
          [record.status, record.bytesOut, record.flags, record.client],
          [200, 5, '', '127.0.0.1'],
        );
        assert.match(record.traceId, /^[0-9a-f]{32}$/);
      } else {
        assert.match(
          line,
          new RegExp(
            `^127\\.0\\.0\\.1 - - \\[\\d\\d/[A-Z][a-z]{2}/\\d{4}:\\d\\d:\\d\\d:\\d\\d \\+0000\\] "${method} /a%22b\\?c=%22 HTTP/1\\.1" 200 5 "-" "a \\\\x22b\\\\x22\\\\xe9"$`,
          ),
        );
      }
    }
    renameSync(path, `${path}.1`);
    await eventually(
      async () => {
        await request(url);
        return lines().length > 0;
      },
      { what: 'the recreated file' },
    );
    program.process.kill();
    assert.equal((await program.process.exited).code, 0);
  }
});

test('metrics agree with the requests', async () => {
  await using upstream = await TestUpstream.start((_request, response) => response.end('ok'));
  await using program = await TestProgram.serving(upstream.url);
  for (const method of ['GET', 'GET', 'PROPFIND', 'TRACE']) await request(program.url, { method });
  const { body } = await program.ask('/metrics');
  const count = (method: string) =>
    Number(
      new RegExp(
        `http_server_request_duration_seconds_count\\{listener="main",http_request_method="${method}",http_response_status_code="200"\\} (\\d+)`,
      ).exec(body)?.[1],
    );
  assert.equal(count('GET'), 2);
  assert.equal(count('_OTHER'), 2, 'methods that clients invent share a label');
  assert.match(
    body,
    /http_client_open_connections\{listener="main",http_connection_state="idle"\} [1-9]/,
  );
});
