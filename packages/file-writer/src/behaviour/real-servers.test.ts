/** Servers from Debian's packages: git http-backend behind Apache and nginx with TLS and users, tinyproxy. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startProgram, temporaryDirectory } from '@sidekit/test-kit';
import { missingServers, startApache, startTinyproxy } from '../testing/apache.ts';
import { GitRepository } from '../testing/git-repository.ts';
import { startNginxWithGit } from '../testing/nginx.ts';

const main = new URL('../main.ts', import.meta.url);

type Tls = ReturnType<typeof certificate>;

/** Makes a certificate for localhost and for a name that only a proxy can reach. */
function certificate(directory: string) {
  const [cert, key] = [join(directory, 'cert.pem'), join(directory, 'key.pem')];
  const request = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost,DNS:git.example -keyout ${key} -out ${cert}`;
  execFileSync('openssl', request.split(' '), { stdio: 'ignore' });
  return { cert, key };
}

const servers = {
  Apache: async (directory: string, tls: Tls) => {
    const apache = await startApache(join(directory, 'server'), tls);
    return {
      url: `https://localhost:${apache.port}`,
      [Symbol.asyncDispose]: () => apache[Symbol.asyncDispose](),
    };
  },
  nginx: (directory: string, tls: Tls) =>
    startNginxWithGit(join(directory, 'server'), directory, tls),
};

for (const [name, startServer] of Object.entries(servers)) {
  test(`git http-backend behind ${name}, with TLS, a redirect and a password with a space`, {
    skip: missingServers,
  }, async () => {
    using directory = temporaryDirectory('git-server');
    chmodSync(directory.path, 0o755);
    const repository = new GitRepository(directory.path);
    repository.write('index.html', 'one');
    repository.push();
    const tls = certificate(directory.path);
    const credentials = join(directory.path, 'credentials');
    writeFileSync(credentials, 'user:hush word\n');
    await using server = await startServer(directory.path, tls);
    const run = (name: string, args: readonly string[]) =>
      startProgram(main, [
        ...['--admin=127.0.0.1:0', '--once', '--source=git', '--ref=main'],
        ...[`--target=${join(directory.path, name)}`, `--ca-file=${tls.cert}`, ...args],
      ]);
    for (const path of ['git', 'moved']) {
      await using writer = run(path, [
        `--repository=${server.url}/${path}/site.git`,
        `--credentials=${credentials}`,
      ]);
      assert.equal((await writer.exited).code, 0, writer.stderr);
      assert.equal(readFileSync(join(directory.path, path, 'index.html'), 'utf8'), 'one');
    }
    await using refused = run('none', [
      `--repository=${server.url}/git/site.git`,
      '--once-timeout=2s',
    ]);
    assert.equal((await refused.exited).code, 69);
    assert.match(refused.stderr, /answered 401/);
  });
}

test('tinyproxy: https goes through a tunnel, loopback does not, and no password reaches the log', {
  skip: missingServers,
}, async () => {
  using directory = temporaryDirectory('proxy');
  await using proxy = await startTinyproxy(join(directory.path, 'proxy'));
  const run = (url: string, password: string, ...args: readonly string[]) =>
    startProgram(
      main,
      [
        ...['--admin=127.0.0.1:0', '--once', '--once-timeout=2s', '--source=http', ...args],
        ...[`--url=${url}`, `--target=${join(directory.path, 'out')}`],
      ],
      {
        env: {
          HTTPS_PROXY: `http://proxyuser:${password}@127.0.0.1:${proxy.port}`,
          HTTP_PROXY: `http://proxyuser:${password}@127.0.0.1:${proxy.port}`,
        },
      },
    );
  // The name exists nowhere: only that the proxy was asked can be seen, and its answer.
  for (const url of ['https://git.example/x', 'http://git.example/x']) {
    await using writer = run(url, 'proxypass');
    assert.equal((await writer.exited).code, 69);
    assert.doesNotMatch(writer.stderr, /proxypass/);
  }
  assert.match(readFileSync(proxy.log, 'utf8'), /CONNECT git\.example:443/);
  assert.match(readFileSync(proxy.log, 'utf8'), /GET http:\/\/git\.example\/x/);
  await using wrong = run('http://git.example/x', 'wrong');
  await wrong.exited;
  // tinyproxy answers 401 where RFC 9110 has 407.
  assert.match(wrong.stderr, /answered 40[17]/);
  await using direct = run('http://127.0.0.1:9/x', 'proxypass');
  await direct.exited;
  assert.match(direct.stderr, /cannot be reached \(ECONNREFUSED|cannot be reached \(connect/);
  assert.doesNotMatch(readFileSync(proxy.log, 'utf8'), /127\.0\.0\.1:9/);
});
