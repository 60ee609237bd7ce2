import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { PosixMQ, unlinkQueue } from '@sidekit/posix-mq';
import { freePort, startProgram, temporaryDirectory, until } from '@sidekit/test-kit';

const main = new URL('main.ts', import.meta.url);
const fast = ['--interval', '20ms'];

function listen(server: Server, port = 0): Promise<number> {
  return new Promise((resolve) => {
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

test('a port that opens later is waited for, and said', async () => {
  const port = await freePort();
  await using program = startProgram(main, [`tcp:127.0.0.1:${port}`, ...fast]);
  await until(() => program.stderr.includes('ECONNREFUSED'), { what: 'a first refusal' });
  const server = createTcpServer();
  await listen(server, port);
  assert.equal((await program.exited).code, 0);
  assert.match(program.stderr, /wait-for: tcp:127\.0\.0\.1:\d+: there after/);
  server.close();
});

test('a URL must answer with the status and body that are asked for', async () => {
  let body = 'starting';
  const server = createServer((_request, response) =>
    response.writeHead(body === 'ready' ? 201 : 503).end(body),
  );
  const port = await listen(server);
  await using program = startProgram(main, [
    `http://127.0.0.1:${port}/`,
    '--status',
    '201',
    '--body',
    '^rea',
    ...fast,
  ]);
  await until(() => program.stderr.includes('status 503'), { what: 'a first 503' });
  body = 'ready';
  assert.equal((await program.exited).code, 0);
  server.close();
});

test('a queue is waited for until another process makes it', async () => {
  const name = `/wait-for-test-${process.pid}`;
  await using program = startProgram(main, [`mq:${name}`, ...fast]);
  await until(() => program.stderr.includes('no such queue yet'), { what: 'a first try' });
  const queue = await PosixMQ.open({ name, create: true });
  try {
    assert.equal((await program.exited).code, 0);
  } finally {
    queue.close();
    await unlinkQueue(name);
  }
});

test('files and names are waited for', async () => {
  using directory = temporaryDirectory('wait-for');
  const path = join(directory.path, 'ok');
  await using program = startProgram(main, [`file:${path}`, 'dns:localhost', ...fast]);
  await until(() => program.stderr.includes('no such file yet'), { what: 'a first try' });
  writeFileSync(path, '');
  assert.equal((await program.exited).code, 0);
});

test('what does not come in time ends with 69 and the reason', async () => {
  const port = await freePort();
  await using program = startProgram(main, [
    `tcp:127.0.0.1:${port}`,
    '--timeout',
    '100ms',
    ...fast,
  ]);
  assert.equal((await program.exited).code, 69);
  assert.match(program.stderr, /gave up after .*: tcp:127\.0\.0\.1:\d+: connect ECONNREFUSED/);
});

test('SIGTERM ends the wait at once', async () => {
  const port = await freePort();
  await using program = startProgram(main, [`tcp:127.0.0.1:${port}`, '--timeout', '0']);
  await until(() => program.stderr.includes('ECONNREFUSED'), { what: 'a first try' });
  program.kill('SIGTERM');
  assert.equal((await program.exited).code, 69);
  assert.match(program.stderr, /stopped by a signal/);
});

test('the command takes the place of the process, with its arguments and exit code', async () => {
  await using program = startProgram(main, [
    'file:/',
    '--',
    process.execPath,
    '-e',
    'console.log(process.pid, process.argv[1]); process.exit(7)',
    'x',
  ]);
  assert.equal((await program.exited).code, 7);
  assert.equal(program.stdout.trim(), `${program.child.pid} x`);
});

test('bad usage names every fault and exits 64 before anything is tried', async () => {
  await using program = startProgram(main, ['mq:x', 'tcp:y', '--timeout', 'soon', '--anyy']);
  assert.equal((await program.exited).code, 64);
  for (const fault of [
    '--anyy is not a known flag',
    'must start with a slash',
    'must have a host and a port',
    '--timeout "soon"',
  ]) {
    assert.ok(program.stderr.includes(fault), `${fault} in ${program.stderr}`);
  }
  assert.doesNotMatch(program.stderr, /\n\s+at /);
});

test('a command that is not there is bad usage', async () => {
  await using program = startProgram(main, ['file:/', '--', 'no-such-command-here']);
  assert.equal((await program.exited).code, 64);
  assert.match(program.stderr, /there is no such program/);
});
