import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { freePort, startProgram, temporaryDirectory, until } from '@sidekit/test-kit';
import { request, TestUpstream } from './testing/upstream.ts';

const MAIN = new URL('./main.ts', import.meta.url);

async function start(args: readonly string[], listen?: number) {
  const admin = await freePort();
  const program = startProgram(MAIN, [...args, '--admin', `127.0.0.1:${admin}`]);
  await program.logged('listening');
  return {
    program,
    admin: `http://127.0.0.1:${admin}`,
    url: `http://127.0.0.1:${listen ?? 0}`,
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  };
}

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

test('rules between options are told with their remedy', async () => {
  for (const [args, message] of [
    [[], /--listen is missing: give --listen :8080 --upstream/],
    [['--listen', ':8080'], /--upstream is missing/],
    [
      ['--listen', ':8080', '--upstream', 'tcp://a:1'],
      /must have one of the schemes http, https, unix with protocol http/,
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

test('an address that is taken ends the start with its remedy', async () => {
  await using upstream = await TestUpstream.start((_request, response) => response.end());
  const program = startProgram(MAIN, [
    '--listen',
    `127.0.0.1:${upstream.port}`,
    '--upstream',
    upstream.url,
    '--admin',
    '127.0.0.1:0',
  ]);
  assert.equal((await program.exited).code, 70);
  assert.match(program.stderr, /listener main .* cannot be listened on .*choose another port/);
});

test('a stop under load fails no request of a client that honours Connection: close', async () => {
  await using upstream = await TestUpstream.start((incoming, response) => {
    setTimeout(() => response.end('ok'), incoming.url === '/slow' ? 300 : 2);
  });
  const port = await freePort();
  await using started = await start(['--listen', `127.0.0.1:${port}`, '--upstream', upstream.url]);
  const failed: unknown[] = [];
  let [answers, closed] = [0, 0];
  const clients = Array.from({ length: 16 }, async (_, i) => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    for (;;) {
      try {
        const got = await request(started.url.replace(':0', `:${port}`), {
          agent,
          path: i === 0 ? '/slow' : '/',
        });
        assert.equal(got.status, 200);
        answers++;
        if (got.headers.connection !== 'close') continue;
        closed++;
      } catch (error) {
        failed.push(error);
      }
      agent.destroy();
      return;
    }
  });
  await until(() => answers > 200, { what: 'load' });
  started.program.kill('SIGTERM');
  await until(async () => (await request(`${started.admin}/readyz`)).status === 503, {
    what: 'unready',
  });
  await Promise.all(clients);
  assert.deepEqual(failed, []);
  assert.equal(closed, 16);
  assert.equal((await started.program.exited).code, 0);
});

test('an outbound listener accepts during a stop while it is in use, and ends last', async () => {
  using directory = temporaryDirectory('outbound');
  let release: (() => void) | undefined;
  await using upstream = await TestUpstream.start((incoming, response) => {
    if (incoming.url === '/hold') release = () => response.end('held');
    else response.end('ok');
  });
  const [inbound, outbound] = [await freePort(), await freePort()];
  const file = join(directory.path, 'a.yaml');
  writeFileSync(
    file,
    JSON.stringify({
      drainDelay: '100ms',
      listeners: [
        { name: 'in', listen: `127.0.0.1:${inbound}`, upstream: [upstream.url] },
        {
          name: 'out',
          direction: 'outbound',
          listen: `127.0.0.1:${outbound}`,
          upstream: [upstream.url],
        },
      ],
    }),
  );
  await using started = await start(['--config', file]);
  const held = request(`http://127.0.0.1:${inbound}/hold`);
  await until(() => release !== undefined, { what: 'the request of the app' });
  started.program.kill('SIGTERM');
  await until(
    async () =>
      request(`http://127.0.0.1:${inbound}/`).then(
        () => false,
        () => true,
      ),
    { what: 'the inbound listener is closed' },
  );
  // The app works on its last request and still needs the outside.
  assert.equal((await request(`http://127.0.0.1:${outbound}/`)).body, 'ok');
  release!();
  assert.equal((await held).body, 'held');
  assert.equal((await started.program.exited).code, 0);
});

test('reloads under load drop nothing; a bad file is refused, said everywhere, and healed', async () => {
  const reloads = Math.ceil(50 * Number(process.env.SIDEKIT_RUNS ?? 0.2));
  using directory = temporaryDirectory('reload');
  await using first = await TestUpstream.start((_request, response) => response.end('first'));
  await using second = await TestUpstream.start((_request, response) => response.end('second'));
  const port = await freePort();
  // As the kubelet does it: a link to a directory of the version, replaced by rename.
  const publish = (version: string, text: string) => {
    const data = join(directory.path, `..${version}`);
    mkdirSync(data);
    writeFileSync(join(data, 'a.yaml'), text);
    symlinkSync(`..${version}`, join(directory.path, '..tmp'));
    renameSync(join(directory.path, '..tmp'), join(directory.path, '..data'));
  };
  const config = (url: string) =>
    JSON.stringify({ listeners: [{ name: 'web', listen: `127.0.0.1:${port}`, upstream: [url] }] });
  publish('0', config(first.url));
  symlinkSync('..data/a.yaml', join(directory.path, 'a.yaml'));
  await using started = await start(['--config', join(directory.path, 'a.yaml')]);
  const url = `http://127.0.0.1:${port}/`;
  const agent = new http.Agent({ keepAlive: true, maxSockets: 8 });
  let running = true;
  const failed: unknown[] = [];
  let last = '';
  let requests = 0;
  const load = Array.from({ length: 8 }, async () => {
    while (running) {
      await request(url, { agent }).then(
        ({ body }) => {
          last = body;
          requests++;
        },
        (error) => failed.push(error),
      );
    }
  });
  for (let i = 1; i <= reloads; i++) {
    const wanted = i % 2 ? 'second' : 'first';
    publish(String(i), config(i % 2 ? second.url : first.url));
    await until(() => last === wanted, { what: `reload ${i}` });
  }
  running = false;
  await Promise.all(load);
  assert.deepEqual(failed, [], `of ${requests}`);
  agent.destroy();
  const metrics = async () => (await request(`${started.admin}/metrics`)).body;
  await until(
    async () =>
      (await metrics()).includes(`ambassador_config_reloads_total{result="applied"} ${reloads}\n`),
    { what: 'all reloads counted' },
  );

  publish(
    'bad',
    'listeners:\n  - {name: web, lisen: ":1", upstream: [http://x]}\n  - {name: web}\n',
  );
  await until(
    async () => (await metrics()).includes('ambassador_config_last_reload_successful 0'),
    { what: 'the refusal' },
  );
  const ready = await request(`${started.admin}/readyz`);
  assert.equal(ready.status, 200, 'the old configuration goes on');
  assert.match(ready.body, /lisen.*is not a known key/);
  assert.equal((await request(url)).status, 200);
  const refusal = started.program.log.find(({ msg }) =>
    String(msg).startsWith('configuration refused'),
  );
  assert.match(JSON.stringify(refusal), /did you mean.*listen|listen/);

  publish('good', config(first.url));
  await until(
    async () => (await metrics()).includes('ambassador_config_last_reload_successful 1'),
    { what: 'healed' },
  );
  assert.equal((await request(url)).body, 'first');
});

test('the access log has a line for each request, in both lanes and formats, and follows a rotation', async () => {
  using directory = temporaryDirectory('access');
  await using upstream = await TestUpstream.start((_request, response) => response.end('hello'));
  for (const format of ['json', 'combined']) {
    const path = join(directory.path, `${format}.log`);
    const port = await freePort();
    await using started = await start([
      '--listen',
      `127.0.0.1:${port}`,
      '--upstream',
      upstream.url,
      '--access-log',
      'all',
      '--access-log-format',
      format,
      '--access-log-file',
      path,
      '--drain-delay',
      '0',
    ]);
    const url = `http://127.0.0.1:${port}/a"b?c=%22`.replace('"', '%22');
    const headers = { 'user-agent': 'a "b"\xe9', 'x-request-id': 'given-1' };
    await request(url, { headers });
    await request(url, { headers, method: 'PROPFIND' });
    const lines = () =>
      readFileSync(path, 'utf8')
        .split('\n')
        .filter((line) => line !== '');
    await until(() => lines().length === 2, { what: 'two lines' });
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
    await until(
      async () => {
        await request(url);
        return lines().length > 0;
      },
      { what: 'the file made anew' },
    );
    started.program.kill();
    assert.equal((await started.program.exited).code, 0);
  }
});

test('metrics agree with what was done', async () => {
  await using upstream = await TestUpstream.start((_request, response) => response.end('ok'));
  const port = await freePort();
  await using started = await start(['--listen', `127.0.0.1:${port}`, '--upstream', upstream.url]);
  for (const method of ['GET', 'GET', 'PROPFIND', 'TRACE'])
    await request(`http://127.0.0.1:${port}/`, { method });
  const { body } = await request(`${started.admin}/metrics`);
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
