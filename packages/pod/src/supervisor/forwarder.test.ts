import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { test } from 'node:test';
import { forwardPorts } from './forwarder.ts';

/** Serves a word to each connection. */
async function serve(word: string): Promise<AsyncDisposable & { readonly port: number }> {
  const server: Server = createServer((socket) => socket.end(word));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      server.close();
    },
  };
}

async function ask(port: number | undefined): Promise<string> {
  let text = '';
  for await (const chunk of connect(port ?? 0, '127.0.0.1')) text += chunk;
  return text;
}

test('a port that another Pod has taken since it was chosen is replaced by one that leads to this Pod', async () => {
  await using own = await serve('own');
  await using other = await serve('other');
  const wanted = [
    { containerPort: 5000, host: other.port },
    { containerPort: 5001, host: other.port },
  ];
  const { ports, close } = await forwardPorts(wanted, () => ({
    host: '127.0.0.1',
    port: own.port,
  }));
  try {
    assert.deepEqual(
      ports.map(({ containerPort }) => containerPort),
      [5000, 5001],
    );
    assert.equal(new Set([other.port, ...ports.map(({ host }) => host)]).size, 3);
    assert.equal(await ask(ports[0]?.host), 'own');
    assert.equal(await ask(ports[1]?.host), 'own');
    const again = await forwardPorts(ports, () => undefined);
    again.close();
    assert.notDeepEqual(again.ports, ports, 'they are taken now');
  } finally {
    close();
  }
  const { ports: kept, close: end } = await forwardPorts(ports, () => undefined);
  end();
  assert.deepEqual(kept, ports, 'free ones are kept');
});
