import assert from 'node:assert/strict';
import { chownSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually, startProgram, temporaryDirectory } from '@sidekit/test-kit';
import { ExpectedError } from '../errors.ts';
import { listen } from './listen.ts';

test('an address that is taken is reported with its option and the remedy', async () => {
  const first = createServer();
  await listen(first, { host: '127.0.0.1', port: 0 }, '--admin');
  const { port } = first.address() as AddressInfo;
  await assert.rejects(
    listen(createServer(), { host: '127.0.0.1', port }, '--admin'),
    (error) =>
      error instanceof ExpectedError &&
      /^--admin 127\.0\.0\.1:\d+ cannot be listened on \(.*EADDRINUSE.*\): another process/.test(
        error.message,
      ),
  );
  first.close();
});

test('an address of another host and a directory that is missing have their remedies', async () => {
  await assert.rejects(listen(createServer(), { host: '192.0.2.1', port: 0 }, '--listen'), {
    message: /EADDRNOTAVAIL.*use :PORT/,
  });
  await assert.rejects(listen(createServer(), { path: '/nowhere/at/all' }, '--listen'), {
    message: /^--listen unix:\/nowhere\/at\/all .*directory does not exist or is not writable/,
  });
});

test('a socket that a killed process left behind is replaced, a living one never', async () => {
  using directory = temporaryDirectory();
  const path = join(directory.path, 's');
  const program = new URL('../testing/listen-unix.ts', import.meta.url);
  await using first = startProgram(program, [path]);
  await eventually(() => first.stdout === 'listening\n', { what: 'the first process' });
  await assert.rejects(listen(createServer(), { path }, '--listen'), {
    message: /another process listens there/,
  });
  first.kill('SIGKILL');
  await first.exited;
  assert.ok(existsSync(path), 'left behind');
  const server = createServer();
  await listen(server, { path }, '--listen');
  assert.equal(server.address(), path);
  server.close();
});

test('a file that is no socket, and a socket of another user, are never removed', async () => {
  using directory = temporaryDirectory();
  const file = join(directory.path, 'data');
  writeFileSync(file, 'precious');
  await assert.rejects(listen(createServer(), { path: file }, '--listen'), {
    message: /not a socket of this user/,
  });
  assert.equal(readFileSync(file, 'utf8'), 'precious');
  if (process.geteuid?.() !== 0) return;
  const path = join(directory.path, 's');
  const program = new URL('../testing/listen-unix.ts', import.meta.url);
  await using first = startProgram(program, [path]);
  await eventually(() => first.stdout === 'listening\n', { what: 'the first process' });
  first.kill('SIGKILL');
  await first.exited;
  chownSync(path, 65_534, 65_534);
  await assert.rejects(listen(createServer(), { path }, '--listen'), { message: /not a socket/ });
  assert.ok(existsSync(path));
});
