import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from '@sidekit/test-kit';
import { followGit } from '../testing/follow-git.ts';
import { GitRepository } from '../testing/git-repository.ts';
import { startGitServer } from '../testing/git-server.ts';
import type { GitSourceOptions } from './git.ts';

const MIB = 1024 * 1024;

const follow = (url: string, path: string, changes: Partial<GitSourceOptions> = {}) =>
  followGit(`${url}/site.git`, path, changes);

test('a branch is followed: new commits, nothing new, force-pushes and a deleted branch', async () => {
  using directory = temporaryDirectory('git');
  const repository = new GitRepository(directory.path);
  await using server = await startGitServer(directory.path);
  const path = join(directory.path, 'site');
  const index = () => readFileSync(join(path, 'index.html'), 'utf8');
  const check = follow(server.url, path);

  repository.write('index.html', 'one');
  repository.write('bin/run', '#!/bin/sh\n', true);
  repository.link('home.html', 'index.html');
  const first = repository.push();
  assert.equal((await check())?.changed, true);
  assert.equal(index(), 'one');
  assert.ok(readlinkSync(path).endsWith(first), 'the name of the version contains its commit');
  assert.equal(lstatSync(join(path, 'bin/run')).mode & 0o777, 0o755);
  assert.equal(readlinkSync(join(path, 'home.html')), 'index.html');
  assert.equal(await check(), undefined);

  repository.write('index.html', 'two');
  repository.push();
  assert.equal((await check())?.changed, true);
  assert.equal(index(), 'two');

  repository.git('reset', '-q', '--hard', first);
  repository.write('index.html', 'another two');
  repository.push('rewritten', '--force');
  assert.equal((await check())?.changed, true);
  assert.equal(index(), 'another two');

  repository.git('push', '-q', 'origin', 'HEAD:refs/heads/other');
  repository.git('push', '-q', 'origin', '--delete', 'main');
  await assert.rejects(check(), {
    reason: 'ref_missing',
    message: /has no branch or tag main \(there are: other\): correct --ref, or was it deleted/,
  });
  assert.equal(index(), 'another two');

  repository.git('push', '-q', 'origin', 'HEAD:refs/heads/main');
  assert.equal(await check(), undefined, 'the branch is back at the published commit');
});

test('tags, annotated too, full ref names, HEAD and a commit id can be followed', async () => {
  using directory = temporaryDirectory('git');
  const repository = new GitRepository(directory.path);
  await using server = await startGitServer(directory.path);
  repository.write('a', '1');
  const commit = repository.push();
  repository.git('tag', 'light');
  repository.git('tag', '-a', '-m', 'a tag', 'heavy');
  repository.git('push', '-q', 'origin', 'light', 'heavy');
  for (const [i, ref] of [
    'light',
    'heavy',
    'refs/tags/heavy',
    'refs/heads/main',
    'HEAD',
    commit,
  ].entries()) {
    const path = join(directory.path, `out${i}`);
    const check = follow(server.url, path, { ref });
    assert.equal((await check())?.changed, true, ref);
    assert.ok(readlinkSync(path).endsWith(commit), ref);
    assert.equal(await check(), undefined, ref);
  }
});

test('a server that speaks protocol 0 alone is followed as well', async () => {
  using directory = temporaryDirectory('git');
  const repository = new GitRepository(directory.path);
  await using server = await startGitServer(directory.path, { protocol0: true });
  repository.write('index.html', 'one');
  repository.push();
  repository.git('tag', '-a', '-m', 'a tag', 'heavy');
  repository.git('push', '-q', 'origin', 'heavy');
  const path = join(directory.path, 'site');
  for (const ref of ['main', 'heavy', 'HEAD']) {
    const check = follow(server.url, path, { ref });
    await check();
    assert.equal(readFileSync(join(path, 'index.html'), 'utf8'), 'one');
    assert.equal(await check(), undefined);
  }
  await assert.rejects(follow(server.url, path, { ref: 'nope' })(), { reason: 'ref_missing' });
  repository.git('tag', 'of-a-file', 'HEAD:index.html');
  repository.git('push', '-q', 'origin', 'of-a-file');
  await assert.rejects(follow(server.url, path, { ref: 'of-a-file' })(), {
    reason: 'ref_missing',
    message: /leads to a blob, not to a commit/,
  });
  repository.git('push', '-q', 'origin', ':main');
  await assert.rejects(follow(server.url, path)(), { message: /nor any branch: push one/ });
});

test('a repository of 10,000 files arrives completely, deltas included', async () => {
  using directory = temporaryDirectory('git');
  const repository = new GitRepository(directory.path);
  await using server = await startGitServer(directory.path);
  const base = Array.from({ length: 200 }, () => randomBytes(16).toString('hex')).join('\n');
  const files = new Map([['large.bin', randomBytes(5 * MIB)]]);
  for (let i = 0; i < 10_000; i++) {
    // Similar files, so that the server sends deltas.
    const text = i % 20 === 0 ? `${base}\n${i}\n` : `${i}\n`;
    files.set(`d${i % 100}/s${i % 7}/f${i}.txt`, Buffer.from(text));
  }
  repository.import(files);
  const path = join(directory.path, 'site');
  const outcome = await follow(server.url, path)();
  assert.equal(outcome?.changed, true);
  const found = readdirSync(path, { recursive: true, withFileTypes: true });
  assert.equal(found.filter((entry) => entry.isFile()).length, files.size);
  for (const [name, content] of files) {
    assert.ok(readFileSync(join(path, name)).equals(content), name);
  }
});

test('large files that the server sends as deltas of each other arrive completely', async () => {
  using directory = temporaryDirectory('git');
  const repository = new GitRepository(directory.path);
  const base = randomBytes(3 * MIB);
  const variant = (i: number) => Buffer.concat([base, Buffer.from(`version ${i}`)]);
  const files = new Map(Array.from({ length: 8 }, (_, i) => [`file${i}`, variant(i)]));
  repository.import(files);
  await using server = await startGitServer(directory.path);
  const path = join(directory.path, 'site');
  await follow(server.url, path)();
  for (const [name, content] of files) {
    assert.ok(readFileSync(join(path, name)).equals(content), name);
  }
  assert.deepEqual(readdirSync(join(directory.path, '.site.versions')).length, 1, 'no leftovers');
});

test('a part of the repository can be published alone', async () => {
  using directory = temporaryDirectory('git');
  const repository = new GitRepository(directory.path);
  await using server = await startGitServer(directory.path);
  repository.write('docs/html/index.html', 'page');
  repository.write('secret', 'no');
  repository.push();
  const path = join(directory.path, 'site');
  await follow(server.url, path, { subpath: 'docs/html/' })();
  assert.equal(readFileSync(join(path, 'index.html'), 'utf8'), 'page');
  assert.throws(() => lstatSync(join(path, 'secret')));
  await assert.rejects(follow(server.url, path, { subpath: 'docs/nope' })(), {
    reason: 'subpath_missing',
    message: /no directory docs\/nope: correct --subpath/,
  });
});

test('credentials come from a file or a Secret and are read again for each check; a refusal is explained', async () => {
  using directory = temporaryDirectory('git');
  const repository = new GitRepository(directory.path);
  await using server = await startGitServer(directory.path, { credentials: 'me:hush' });
  repository.write('a', '1');
  repository.push();
  const path = join(directory.path, 'site');
  await assert.rejects(follow(server.url, path)(), {
    reason: 'unauthorized',
    message: /answered 401: the credentials are missing or wrong; check --credentials/,
  });
  const file = join(directory.path, 'credentials');
  writeFileSync(file, 'me:wrong\n');
  const check = follow(server.url, path, { credentials: file });
  await assert.rejects(check(), { reason: 'unauthorized' });
  writeFileSync(file, 'me:hush\n');
  assert.equal((await check())?.changed, true);

  const secret = join(directory.path, 'secret');
  mkdirSync(secret);
  writeFileSync(join(secret, 'username'), 'me');
  writeFileSync(join(secret, 'password'), 'hush\n');
  await follow(server.url, path, { credentials: secret })();
  const withUser = server.url.replace('//', '//me:hush@');
  await follow(withUser, path)();
  await assert.rejects(follow(withUser.replace('hush', 'nono'), path)(), (error: Error) => {
    assert.ok(!error.message.includes('nono'), 'no password in messages');
    return true;
  });
});

test('a URL without a repository, a cut pack, and too large a repository leave the old content', async () => {
  using directory = temporaryDirectory('git');
  const repository = new GitRepository(directory.path);
  await using server = await startGitServer(directory.path);
  repository.write('a', 'old');
  repository.push();
  const path = join(directory.path, 'site');
  const check = follow(server.url, path, { maxSize: MIB });
  await check();

  repository.write('a', 'new');
  repository.write('b', randomBytes(100_000));
  repository.push();
  server.cutAfter = 20_000;
  await assert.rejects(check(), (error: { reason: string }) =>
    ['cut', 'git_protocol', 'git_pack', 'network'].includes(error.reason),
  );
  server.cutAfter = Number.POSITIVE_INFINITY;
  assert.equal(readFileSync(join(path, 'a'), 'utf8'), 'old');
  await check();
  assert.equal(readFileSync(join(path, 'a'), 'utf8'), 'new');

  repository.write('large', Buffer.alloc(2 * MIB));
  repository.push();
  await assert.rejects(check(), { reason: 'too_large', message: /raise --max-size/ });
  await assert.rejects(follow(`${server.url}/nothing`, path)(), { reason: 'not_found' });
  assert.equal(readFileSync(join(path, 'a'), 'utf8'), 'new');
});

test('a repository cannot write or link outside its directory', async () => {
  using directory = temporaryDirectory('git');
  const repository = new GitRepository(directory.path);
  await using server = await startGitServer(directory.path);
  const path = join(directory.path, 'site');
  for (const to of ['/etc/passwd', '../../outside', 'deep/../../..']) {
    repository.link('evil', to);
    repository.push();
    await assert.rejects(follow(server.url, path)(), {
      reason: 'unsafe_path',
      message: /"evil" is a symbolic link that leads out of the tree/,
    });
    repository.remove('evil');
  }
});
