/** Servers that `git clone` copes with: redirects, old versions, other formats and names. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from '@sidekit/test-kit';
import { followGit } from '../testing/follow-git.ts';
import { GitRepository } from '../testing/git-repository.ts';
import { startGitServer } from '../testing/git-server.ts';

async function serve(listener: (request: IncomingMessage, response: ServerResponse) => void) {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test('a redirect of the first request moves all requests, as GitLab does without .git', async () => {
  using directory = temporaryDirectory('git');
  const repository = new GitRepository(directory.path);
  repository.write('index.html', 'one');
  repository.push();
  await using server = await startGitServer(directory.path);
  for (const status of [301, 302, 303, 307, 308]) {
    const paths: string[] = [];
    await using front = await serve((incoming, response) => {
      paths.push(incoming.url ?? '');
      const [path, query] = (incoming.url ?? '').split('?');
      if (path === '/group/repo/info/refs') {
        const location = `${server.url}/site.git/info/refs?${query}`;
        response.writeHead(status, { location }).end();
      } else response.writeHead(404).end();
    });
    const path = join(directory.path, `out${status}`);
    const check = followGit(`${front.url}/group/repo`, path);
    await check();
    assert.equal(readFileSync(join(path, 'index.html'), 'utf8'), 'one');
    assert.equal(await check(), undefined);
    assert.ok(
      paths.every((one) => one.startsWith('/group/repo/info/refs?')),
      String(paths),
    );
  }
});

test('a redirect to something else is explained, and credentials stay with their server', async () => {
  using directory = temporaryDirectory('git');
  const seen: (string | undefined)[] = [];
  await using other = await serve((incoming, response) => {
    seen.push(incoming.headers.authorization);
    response.writeHead(200, { 'content-type': 'text/html' }).end('<html>sign in</html>');
  });
  await using front = await serve((_incoming, response) => {
    response.writeHead(302, { location: `${other.url}/users/sign_in` }).end();
  });
  const { host } = new URL(front.url);
  const check = followGit(`http://user:hush@${host}/repo`, join(directory.path, 'out'));
  await assert.rejects(check(), (error: Error & { reason: string }) => {
    assert.equal(error.reason, 'git_protocol');
    assert.ok(!error.message.includes('hush'));
    return true;
  });
  assert.deepEqual(seen, [undefined]);
});

test('a server before git 2.28 is not asked for an object format that it does not know', async () => {
  using directory = temporaryDirectory('git');
  const repository = new GitRepository(directory.path);
  repository.write('index.html', 'one');
  repository.push();
  await using server = await startGitServer(directory.path);
  await using old = await serve((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk) => chunks.push(chunk));
    incoming.on('end', () => {
      const body = Buffer.concat(chunks);
      // Such a server ends the connection without a word: unknown capability.
      if (body.includes('object-format=')) {
        response.writeHead(200, { 'content-type': 'application/x-git-upload-pack-result' }).end();
        return;
      }
      const { url, method, headers } = incoming;
      const onward = request(`${server.url}${url}`, { method: method!, headers }, (answer) => {
        const parts: Buffer[] = [];
        answer.on('data', (part) => parts.push(part));
        answer.on('end', () => {
          const text = Buffer.concat(parts).toString('latin1');
          const without = text.replace('0017object-format=sha1\n', '');
          const type = answer.headers['content-type'] ?? '';
          response.writeHead(answer.statusCode ?? 500, { 'content-type': type });
          response.end(Buffer.from(without, 'latin1'));
        });
      });
      onward.end(body);
    });
  });
  const path = join(directory.path, 'out');
  await followGit(`${old.url}/site.git`, path)();
  assert.equal(readFileSync(join(path, 'index.html'), 'utf8'), 'one');
});

test('a repository with SHA-256 ids is followed, by branch and by commit', async () => {
  using directory = temporaryDirectory('git');
  const repository = new GitRepository(directory.path, 'sha256.git', ['--object-format=sha256']);
  repository.write('index.html', 'one');
  const commit = repository.push();
  assert.equal(commit.length, 64);
  await using server = await startGitServer(directory.path);
  for (const ref of ['main', commit]) {
    const path = join(directory.path, `out-${ref.slice(0, 4)}`);
    await followGit(`${server.url}/sha256.git`, path, { ref })();
    assert.equal(readFileSync(join(path, 'index.html'), 'utf8'), 'one');
  }
});

test('names that are not UTF-8 keep their bytes', async () => {
  using directory = temporaryDirectory('git');
  const repository = new GitRepository(directory.path);
  const names = ['caf\xe9', 'caf\xe8', 'd\xff/file', Buffer.from('naïve').toString('latin1')];
  repository.import(new Map(names.map((name) => [name, Buffer.from(name, 'latin1')])));
  await using server = await startGitServer(directory.path);
  const path = join(directory.path, 'out');
  await followGit(`${server.url}/site.git`, path)();
  assert.deepEqual(
    readdirSync(path, 'latin1').toSorted(),
    ['caf\xe8', 'caf\xe9', 'd\xff', Buffer.from('naïve').toString('latin1')].toSorted(),
  );
  assert.ok(existsSync(Buffer.from(`${path}/d\xff/file`, 'latin1')));
});

test('submodules and pointers of Git LFS are remarked', async () => {
  using directory = temporaryDirectory('git');
  const repository = new GitRepository(directory.path);
  repository.write('big.bin', 'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n');
  repository.push();
  repository.git('update-index', '--add', '--cacheinfo', `160000,${'1'.repeat(40)},module`);
  repository.git('commit', '-q', '-m', 'submodule');
  repository.git('push', '-q', 'origin', 'HEAD');
  await using server = await startGitServer(directory.path);
  const warnings: string[] = [];
  await followGit(`${server.url}/site.git`, join(directory.path, 'out'), {}, warnings)();
  assert.match(warnings.join('\n'), /1 submodules were left out/);
  assert.match(warnings.join('\n'), /1 files are pointers of Git LFS/);
});

test('a token without a user and a password with spaces are accepted as they are', async () => {
  using directory = temporaryDirectory('git');
  const repository = new GitRepository(directory.path);
  repository.write('index.html', 'one');
  repository.push();
  for (const [i, pair] of [':token', 'user:pass word ', 'user:a:b', 'user name:x'].entries()) {
    const [user = '', ...rest] = pair.split(':');
    const password = rest.join(':');
    await using server = await startGitServer(directory.path, { credentials: pair });
    const url = new URL(server.url);
    const inUrl = `http://${encodeURIComponent(user)}:${encodeURIComponent(password)}@${url.host}`;
    await followGit(`${inUrl}/site.git`, join(directory.path, `url${i}`))();
    repository.write('../credentials', `${pair}\n`);
    const credentials = join(directory.path, 'credentials');
    await followGit(`${server.url}/site.git`, join(directory.path, `file${i}`), { credentials })();
  }
});

test('a percent sign that escapes nothing is part of a user or password', async () => {
  using directory = temporaryDirectory('git');
  const repository = new GitRepository(directory.path);
  repository.write('index.html', 'one');
  repository.push();
  await using server = await startGitServer(directory.path, { credentials: 'us%er:100%' });
  const { host } = new URL(server.url);
  await followGit(`http://us%er:100%@${host}/site.git`, join(directory.path, 'out'))();
  assert.equal(readFileSync(join(directory.path, 'out/index.html'), 'utf8'), 'one');
});

test('a list of refs that is cut between two packets is not taken for the complete one', async () => {
  const packet = (text: string) => (text.length + 4).toString(16).padStart(4, '0') + text;
  await using server = await serve((incoming, response) => {
    const discovery = incoming.url?.includes('info/refs');
    const what = discovery ? 'upload-pack-advertisement' : 'upload-pack-result';
    // Neither a length nor chunks: the end of the connection ends the body.
    response.socket?.end(
      `HTTP/1.1 200 OK\r\ncontent-type: application/x-git-${what}\r\nconnection: close\r\n\r\n${
        discovery
          ? `${packet('# service=git-upload-pack\n')}0000${packet('version 2\n')}0000`
          : packet(`${'1'.repeat(40)} refs/heads/other\n`)
      }`,
    );
  });
  using directory = temporaryDirectory('git');
  await assert.rejects(followGit(`${server.url}/site.git`, join(directory.path, 'out'))(), {
    reason: 'cut',
    message: /ended before its list did/,
  });
});

test('a list of refs that are empty has the limit of any other', async () => {
  await using server = await serve((_, response) => {
    response.writeHead(200, { 'content-type': 'application/x-git-upload-pack-advertisement' });
    response.end(`${'0004'.repeat(600_000)}0000`);
  });
  using directory = temporaryDirectory('git');
  await assert.rejects(followGit(`${server.url}/site.git`, join(directory.path, 'out'))(), {
    reason: 'too_large',
    message: /lists too many refs/,
  });
});

test('a repository at the root of a server is followed, also after a redirect', async () => {
  using directory = temporaryDirectory('git');
  const repository = new GitRepository(directory.path);
  repository.write('index.html', 'one');
  repository.push();
  await using server = await startGitServer(directory.path);
  const paths: string[] = [];
  await using root = await serve((incoming, response) => {
    paths.push(incoming.url ?? '');
    const { method, headers } = incoming;
    const onward = request(
      `${server.url}/site.git${incoming.url}`,
      { method, headers },
      (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      },
    );
    incoming.pipe(onward);
  });
  await using front = await serve((incoming, response) => {
    const location = root.url + (incoming.url ?? '').replace('/repo', '');
    response.writeHead(301, { location }).end();
  });
  for (const [i, url] of [root.url, `${root.url}/`, `${front.url}/repo`].entries()) {
    const path = join(directory.path, `out${i}`);
    await followGit(url, path)();
    assert.equal(readFileSync(join(path, 'index.html'), 'utf8'), 'one');
  }
  for (const path of paths) assert.match(path, /^\/(info\/refs\?|git-upload-pack$)/);
});
