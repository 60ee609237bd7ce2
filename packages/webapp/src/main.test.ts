import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually, startProgram, temporaryDirectory, testEarlyStop } from '@sidekit/test-kit';
import { WebSocket } from 'ws';

const main = new URL('main.ts', import.meta.url);

testEarlyStop(main, ['--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0']);

async function start() {
  const program = startProgram(main, ['--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0']);
  const { address } = await program.event('listening');
  return { program, port: (address as { port: number }).port };
}

test('the WebSocket echoes text and bytes', async () => {
  const { program, port } = await start();
  await using _ = program;
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`);
  const messages: string[] = [];
  socket.on('message', (data, binary) => messages.push(`${binary}:${data}`));
  socket.once('open', () => {
    socket.send('text');
    socket.send(Buffer.from('bytes'));
  });
  await eventually(() => messages.length === 2, { what: 'two echoes' });
  assert.deepEqual(messages, ['false:text', 'true:bytes']);
  socket.close();
});

test('SIGTERM lets a request in progress finish, and exits 0', async () => {
  const { program, port } = await start();
  await using _ = program;
  const response = fetch(`http://127.0.0.1:${port}/slow?ms=300`).then((response) =>
    response.text(),
  );
  await fetch(`http://127.0.0.1:${port}/`);
  program.kill('SIGTERM');
  assert.equal(await response, 'slept 300 ms\n');
  assert.equal((await program.exited).code, 0);
});

test('an access log that cannot be opened is one sentence, before anything listens', async () => {
  const common = ['--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0'];
  await using program = startProgram(main, [...common, '--access-log', '/no/such/directory/log']);
  assert.equal((await program.exited).code, 70);
  assert.match(
    program.stderr,
    /--access-log \/no\/such\/directory\/log cannot be written \(ENOENT/,
  );
  assert.doesNotMatch(program.stderr, /"listening"|\bat LogWriter/);
});

test('SIGHUP reads the settings again, and a missing file keeps them', async () => {
  using directory = temporaryDirectory('webapp');
  const path = join(directory.path, 'settings');
  writeFileSync(path, 'one');
  const args = ['--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0', '--settings', path];
  await using program = startProgram(main, args);
  const { address } = await program.event('listening');
  const { port } = address as { port: number };
  const get = async () => await (await fetch(`http://127.0.0.1:${port}/settings`)).text();
  assert.equal(await get(), 'one');
  writeFileSync(path, 'two');
  assert.equal(await get(), 'one');
  program.kill('SIGHUP');
  await program.event('reloaded');
  assert.equal(await get(), 'two');
  rmSync(path);
  program.kill('SIGHUP');
  await program.event('reload_failed');
  assert.equal(await get(), 'two');
});
