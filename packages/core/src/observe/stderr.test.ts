import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const FIXTURE = fileURLToPath(new URL('../testing/stderr.ts', import.meta.url));
const LINES = 20_000;

/** The lines as they must be, complete and in order. */
const EXPECTED = Array.from({ length: LINES }, (_, i) => `${i} ${'x'.repeat(100)}\n`).join('');

/** A connected pair of sockets, both non-blocking, as what Node hands on to a child is. */
async function socketPair(name: string): Promise<[net.Socket, net.Socket, net.Server]> {
  const server = net.createServer().listen(join(tmpdir(), `sidekit-${process.pid}-${name}.sock`));
  await once(server, 'listening');
  const writer = net.connect(server.address() as string);
  const [reader] = (await once(server, 'connection')) as [net.Socket];
  return [writer, reader, server];
}

test('a blocking pipe gets every line in order', () => {
  const { stdout, status } = spawnSync(
    'sh',
    ['-c', '"$0" "$1" "$2" 2>&1 | cat', process.execPath, FIXTURE, `${LINES}`],
    { encoding: 'utf8', maxBuffer: 2 * EXPECTED.length },
  );
  assert.equal(status, 0);
  assert.ok(stdout === EXPECTED);
});

test('a non-blocking socket that is full gets every line in order', async () => {
  const [writer, reader, server] = await socketPair('full');
  const child = spawn(process.execPath, [FIXTURE, `${LINES}`], {
    stdio: ['ignore', 'ignore', writer],
  });
  writer.destroy();
  server.close();
  let text = '';
  reader.setEncoding('utf8').on('data', (chunk) => (text += chunk));
  const [[status]] = await Promise.all([once(child, 'exit'), once(reader, 'end')]);
  assert.equal(status, 0);
  assert.ok(text === EXPECTED);
});

test('a reader that has gone away does not end the program', async () => {
  const [writer, reader, server] = await socketPair('gone');
  reader.destroy();
  const child = spawn(process.execPath, [FIXTURE, '10'], { stdio: ['ignore', 'ignore', writer] });
  writer.destroy();
  server.close();
  const [status] = await once(child, 'exit');
  assert.equal(status, 0);
});
