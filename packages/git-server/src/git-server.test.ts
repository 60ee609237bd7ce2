import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { send } from '@sidekit/core';
import {
  eventually,
  freePort,
  startProgram,
  temporaryDirectory,
  testEarlyStop,
} from '@sidekit/test-kit';

const MAIN = new URL('./main.ts', import.meta.url);
const stopRoot = temporaryDirectory('git-server-stop');
after(() => stopRoot.remove());
testEarlyStop(MAIN, [
  ...['--root', stopRoot.path, '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0'],
]);

test('a real git clones, pushes and fetches; a PUT is a commit', async () => {
  using directory = temporaryDirectory('git-server');
  const at = (name: string) => join(directory.path, name);
  mkdirSync(at('seed'));
  writeFileSync(at('seed/index.html'), 'seed\n');
  const [port, admin] = [await freePort(), await freePort()];
  await using server = startProgram(MAIN, [
    ...['--listen', `127.0.0.1:${port}`, '--admin', `127.0.0.1:${admin}`],
    ...['--root', at('root'), '--seed', at('seed')],
  ]);
  const url = `http://127.0.0.1:${port}/site.git`;
  const ready = () => send(`http://127.0.0.1:${admin}/readyz`, { timeout: 1000 });
  await eventually(async () => (await ready()).status === 200, {
    what: `readiness: ${server.stderr}`,
  });
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args], {
      env: { PATH: process.env.PATH, HOME: directory.path },
      stdio: ['ignore', 'pipe', 'pipe'],
      encoding: 'utf8',
    });
  git('clone', '-q', url, at('clone'));
  assert.equal(readFileSync(at('clone/index.html'), 'utf8'), 'seed\n');
  writeFileSync(at('clone/index.html'), 'pushed\n');
  git('-C', at('clone'), 'commit', '-qam', 'change');
  git('-C', at('clone'), 'push', '-q');

  const put = await send(`${url}/files/deep/new.txt`, {
    method: 'PUT',
    body: 'put',
    timeout: 5000,
  });
  assert.equal(put.status, 201);
  git('-C', at('clone'), 'pull', '-q');
  assert.equal(readFileSync(at('clone/index.html'), 'utf8'), 'pushed\n');
  assert.equal(readFileSync(at('clone/deep/new.txt'), 'utf8'), 'put');
  git('-C', at('root/site.git'), 'fsck', '--strict');

  const large = { method: 'PUT', body: 'x'.repeat(1024 * 1024 + 1), timeout: 5000 };
  assert.equal((await send(`${url}/files/large`, large)).status, 413);
  git('-c', 'protocol.version=0', 'clone', '-q', url, at('old'));
  assert.equal(readFileSync(at('old/deep/new.txt'), 'utf8'), 'put', 'an older client, protocol 0');

  for (const page of ['', '/info/refs', '/files/../x', '/nothing']) {
    const method = page.startsWith('/files') ? 'PUT' : 'GET';
    assert.equal((await send(url + page, { method, timeout: 2000 })).status, 404, page);
  }
  server.kill();
  assert.equal((await server.exited).code, 0);
});
