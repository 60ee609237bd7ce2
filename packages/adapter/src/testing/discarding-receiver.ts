import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An HTTP receiver that accepts everything and keeps nothing. */
export class DiscardingReceiver implements AsyncDisposable {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<DiscardingReceiver> {
    const server = createServer((request, response) => {
      request.resume().on('end', () => response.end());
    });
    const receiver = new DiscardingReceiver(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
    return receiver;
  }

  /** Its address, such as `127.0.0.1:4318`. */
  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
