import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from '@sidekit/test-kit';
import { Target } from '../publish/target.ts';
import { startNginx } from '../testing/nginx.ts';
import { writeSettings } from '../testing/write-settings.ts';
import { type HttpSourceOptions, httpSource } from './http.ts';

const MIB = 1024 * 1024;

function follow(
  url: string | HttpSourceOptions['url'],
  path: string,
  changes: Partial<HttpSourceOptions & { maxSize: number }> = {},
) {
  const { maxSize = 64 * MIB, ...options } = changes;
  const source = httpSource({
    url: typeof url === 'string' ? [{ url, name: 'file' }] : url,
    header: undefined,
    bearerTokenFile: undefined,
    sha256: undefined,
    caFile: undefined,
    idleTimeout: 5000,
    ...options,
  });
  const target = new Target(writeSettings(path, { fsync: false, maxSize }));
  return async () => {
    const fresh = !(await target.intact());
    const content = await source.poll({ signal: AbortSignal.timeout(20_000), fresh });
    return content && (await target.publish(content));
  };
}

async function serve(listener: RequestListener) {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/file`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test('nginx: a file is downloaded once, and again only after it has changed', async () => {
  using directory = temporaryDirectory('http');
  await using nginx = await startNginx(directory.path);
  const path = join(directory.path, 'out');
  const check = follow(`${nginx.url}/a.bin`, path);
  writeFileSync(join(nginx.root, 'a.bin'), 'one');
  assert.equal((await check())?.changed, true);
  assert.equal(readFileSync(path, 'utf8'), 'one');
  assert.equal(await check(), undefined, 'nginx answered 304');
  writeFileSync(join(nginx.root, 'a.bin'), 'three');
  assert.equal((await check())?.changed, true);
  assert.equal(readFileSync(path, 'utf8'), 'three');

  // A target that somebody else changed or removed is written again, whatever the entity tag.
  writeFileSync(path, 'broken');
  assert.equal((await check())?.changed, true);
  assert.equal(readFileSync(path, 'utf8'), 'three');
});

test('nginx: gzip with a weak entity tag is unpacked, and its cap counts unpacked bytes', async () => {
  using directory = temporaryDirectory('http');
  await using nginx = await startNginx(directory.path);
  const path = join(directory.path, 'out');
  const text = 'text '.repeat(100_000);
  writeFileSync(join(nginx.root, 'a.txt'), text);
  const check = follow(`${nginx.url}/a.txt`, path);
  await check();
  assert.equal(readFileSync(path, 'utf8'), text);
  assert.equal(await check(), undefined);
  await assert.rejects(follow(`${nginx.url}/a.txt`, path, { maxSize: 100_000 })(), {
    reason: 'too_large',
    message: /larger than 100000B: raise --max-size/,
  });
  assert.equal(readFileSync(path, 'utf8'), text);
});

test('nginx: a download that is cut repeatedly is resumed with ranges', async () => {
  using directory = temporaryDirectory('http');
  await using nginx = await startNginx(directory.path);
  const content = randomBytes(3 * MIB);
  writeFileSync(join(nginx.root, 'large.bin'), content);
  // A door to nginx that closes each connection after a megabyte.
  let connections = 0;
  const door = createTcpServer((client) => {
    connections++;
    const upstream = connect(Number(new URL(nginx.url).port), '127.0.0.1');
    let passed = 0;
    client.pipe(upstream);
    upstream.on('data', (chunk) => {
      passed += chunk.length;
      client.write(chunk);
      if (passed > MIB && client.writable) client.destroySoon();
    });
    for (const socket of [client, upstream]) {
      socket.on('error', () => {});
      socket.on('close', () => [client, upstream].map((one) => one.destroy()));
    }
  });
  await new Promise<void>((resolve) => door.listen(0, '127.0.0.1', resolve));
  try {
    const path = join(directory.path, 'out');
    const { port } = door.address() as AddressInfo;
    await follow(`http://127.0.0.1:${port}/large.bin`, path)();
    assert.ok(readFileSync(path).equals(content));
    assert.ok(connections >= 3, `${connections} connections`);
  } finally {
    door.close();
  }
});

test('nginx: 404, 503, 403 and a redirect are followed or explained; the old content stays', async () => {
  using directory = temporaryDirectory('http');
  await using nginx = await startNginx(directory.path, {
    location: `
      location = /busy { add_header Retry-After 7 always; return 503; }
      location = /closed { return 403; }
      location = /moved { return 302 /a.bin; }
      location = /loop { return 302 /loop; }
      location = /error { return 500; }`,
  });
  const path = join(directory.path, 'out');
  writeFileSync(join(nginx.root, 'a.bin'), 'good');
  await follow(`${nginx.url}/moved`, path)();
  const cases: readonly [string, object][] = [
    ['/none', { reason: 'not_found', message: /\/none answered 404: correct the URL/ }],
    ['/busy', { reason: 'unavailable', retryAfter: 7000 }],
    ['/closed', { reason: 'unauthorized', message: /check --bearer-token-file or --header/ }],
    ['/loop', { reason: 'redirect', message: /redirects more than 20 times/ }],
    ['/error', { reason: 'http_status', message: /answered 500: check the log of the server/ }],
  ];
  for (const [page, expected] of cases) {
    await assert.rejects(follow(nginx.url + page, path)(), expected, page);
    assert.equal(readFileSync(path, 'utf8'), 'good');
  }
});

test('nginx with TLS: an untrusted certificate is refused, its authority makes it trusted', async () => {
  using directory = temporaryDirectory('http');
  const [cert, key] = [join(directory.path, 'cert.pem'), join(directory.path, 'key.pem')];
  execFileSync(
    'openssl',
    `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout ${key} -out ${cert}`.split(
      ' ',
    ),
    { stdio: 'ignore' },
  );
  await using nginx = await startNginx(directory.path, { tls: { cert, key } });
  writeFileSync(join(nginx.root, 'a.bin'), 'safe');
  const path = join(directory.path, 'out');
  await assert.rejects(follow(`${nginx.url}/a.bin`, path)(), {
    reason: 'tls',
    message: /its certificate is not trusted; give the authority with --ca-file/,
  });
  assert.ok(!existsSync(path));
  await follow(`${nginx.url}/a.bin`, path, { caFile: cert })();
  assert.equal(readFileSync(path, 'utf8'), 'safe');
});

test('a pinned checksum is verified before anything is visible', async () => {
  using directory = temporaryDirectory('http');
  let body = 'good';
  await using server = await serve((_request, response) => response.end(body));
  const path = join(directory.path, 'out');
  const sha256 = createHash('sha256').update('good').digest('hex');
  const check = follow(server.url, path, { sha256 });
  await check();
  body = 'evil';
  await assert.rejects(check(), { reason: 'sha256_mismatch', message: /not the pinned/ });
  assert.equal(readFileSync(path, 'utf8'), 'good');
});

test('a chunked response that is cut, a short one and invalid gzip leave nothing', async () => {
  using directory = temporaryDirectory('http');
  const answers: RequestListener[] = [
    (_request, response) => {
      response.write('half');
      setImmediate(() => response.destroy());
    },
    (_request, response) => {
      response.writeHead(200, { 'content-length': 100 });
      response.write('short');
      setImmediate(() => response.destroy());
    },
    (_request, response) =>
      void response.writeHead(200, { 'content-encoding': 'gzip' }).end('no gzip'),
    (_request, response) => void response.writeHead(200, { 'content-encoding': 'br' }).end('x'),
  ];
  let answer = 0;
  await using server = await serve((request, response) => answers[answer]!(request, response));
  const path = join(directory.path, 'out');
  for (const reason of ['cut', 'cut', 'encoding', 'encoding']) {
    await assert.rejects(follow(server.url, path)(), { reason }, `answer ${answer}`);
    assert.ok(!existsSync(path));
    answer++;
  }
});

test('a server that stops sending is abandoned after the idle timeout', async () => {
  using directory = temporaryDirectory('http');
  await using server = await serve((_request, response) => response.write('some'));
  await assert.rejects(follow(server.url, join(directory.path, 'out'), { idleTimeout: 100 })(), {
    reason: 'timeout',
    message: /sent nothing for 100 ms: raise --idle-timeout/,
  });
});

test('user and password of the URL go along on every redirect to the same server, and nowhere else', async () => {
  using directory = temporaryDirectory('http');
  const path = join(directory.path, 'out');
  const listener: RequestListener = ({ url, headers }, response) => {
    const [, kind = '', left = ''] = /^\/(\w+)\/(\d+)$/.exec(url ?? '') ?? [];
    const next = `/${kind}/${Number(left) - 1}`;
    const location = kind === 'absolute' ? `http://${headers.host}${next}` : next;
    if (left === '0') response.end(headers.authorization ?? 'nobody');
    else if (kind === 'other')
      response.writeHead(302, { location: new URL('/a/0', other.url).href }).end();
    else response.writeHead(302, { location }).end();
  };
  await using other = await serve(listener);
  await using server = await serve(listener);
  const { host } = new URL(server.url);
  const header = `Basic ${Buffer.from('user:100%').toString('base64')}`;
  for (const [start, expected] of [
    ['absolute/20', header],
    ['relative/1', header],
    ['other/1', 'nobody'],
  ] as const) {
    await follow(`http://user:100%@${host}/${start}`, path)();
    assert.equal(readFileSync(path, 'utf8'), expected, start);
  }
});

test('a refused connection is explained without secrets', async () => {
  using directory = temporaryDirectory('http');
  const path = join(directory.path, 'out');
  await assert.rejects(
    follow('http://me:hush@127.0.0.1:9/x?token=hush', path)(),
    (error: Error) => {
      assert.match(
        error.message,
        /http:\/\/127\.0\.0\.1:9\/x cannot be reached .*nothing listens there/,
      );
      assert.ok(!error.message.includes('hush'));
      return true;
    },
  );
});

test('the bearer token is read again for each request, and sent to its own server only', async () => {
  using directory = temporaryDirectory('http');
  const seen: (string | undefined)[] = [];
  await using other = await serve((request, response) => {
    seen.push(`other ${request.headers.authorization}`);
    response.end('x');
  });
  await using server = await serve((request, response) => {
    seen.push(request.headers.authorization);
    response.writeHead(302, { location: other.url }).end();
  });
  const token = join(directory.path, 'token');
  const check = follow(server.url, join(directory.path, 'out'), { bearerTokenFile: token });
  await assert.rejects(check(), { reason: 'credentials' });
  for (const text of ['', 'one\ntwo', 'one two', 'é']) {
    writeFileSync(token, text);
    await assert.rejects(check(), { reason: 'credentials', message: /must hold one token/ });
  }
  for (const text of ['one\n', 'two']) {
    writeFileSync(token, text);
    await check();
  }
  assert.deepEqual(seen, ['Bearer one', 'other undefined', 'Bearer two', 'other undefined']);
});

test('several URLs become one directory that changes at once', async () => {
  using directory = temporaryDirectory('http');
  await using nginx = await startNginx(directory.path);
  const path = join(directory.path, 'out');
  const names = ['a.bin', 'b.bin'];
  for (const name of names) writeFileSync(join(nginx.root, name), `first ${name}`);
  const check = follow(
    names.map((name) => ({ url: `${nginx.url}/${name}`, name })),
    path,
  );
  await check();
  assert.equal(await check(), undefined);
  writeFileSync(join(nginx.root, 'b.bin'), 'second');
  assert.equal((await check())?.changed, true);
  assert.equal(readFileSync(join(path, 'a.bin'), 'utf8'), 'first a.bin');
  assert.equal(readFileSync(join(path, 'b.bin'), 'utf8'), 'second');
});
