import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { listensIn } from './listeners.ts';

async function listening(host: string) {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const address = server.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  return { port, [Symbol.dispose]: () => void server.close() };
}

test('a port is open if a program listens on it for others, not for its own machine alone', async () => {
  for (const [host, open] of [
    ['0.0.0.0', true],
    ['::', true],
    ['127.0.0.1', false],
    ['127.1.2.3', false],
    ['::1', false],
  ] as const) {
    using server = await listening(host);
    assert.equal(listensIn(process.pid, server.port), open, host);
  }
  let port = 0;
  {
    using server = await listening('0.0.0.0');
    port = server.port;
  }
  assert.equal(listensIn(process.pid, port), false, 'closed again');
});

test('a process that this machine does not show has no verdict', () => {
  assert.equal(listensIn(0, 80), undefined);
  assert.equal(listensIn(2 ** 30, 80), undefined);
});
