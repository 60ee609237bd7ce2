import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Starts a receiver of POST requests; `answer` decides the status from the request's number. */
export async function receiver(answer: (number: number) => number) {
  const bodies: string[] = [];
  const keys: (string | undefined)[] = [];
  let number = 0;
  const listener: RequestListener = async (incoming, response) => {
    let body = '';
    for await (const chunk of incoming) body += chunk;
    const status = answer(++number);
    if (status === 200) {
      bodies.push(body);
      keys.push(incoming.headers['idempotency-key'] as string | undefined);
    }
    response.writeHead(status).end();
  };
  const server = createServer(listener).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/records`,
    bodies,
    keys,
    get requests() {
      return number;
    },
    [Symbol.dispose]: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
