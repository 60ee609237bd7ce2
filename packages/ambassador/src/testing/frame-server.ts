import { once } from 'node:events';
import net from 'node:net';
import { FramePeer, frame, Type } from './frames.ts';

/** The bytes of a client's preface (RFC 9113 §3.4). */
const PREFACE = 24;

/** An HTTP/2 server in cleartext that responds with any frames, valid or not. */
export class FrameServer implements AsyncDisposable {
  readonly #server: net.Server;
  readonly #peers = new Set<FramePeer>();

  /** @param serve is called with each request's stream. */
  constructor(serve: (peer: FramePeer, stream: number) => void) {
    this.#server = net.createServer({ noDelay: true }, (socket) => {
      const peer = new FramePeer(socket, PREFACE);
      this.#peers.add(peer);
      peer.send(frame(Type.settings, 0, 0));
      peer.onFrame = ({ type, stream }) => {
        if (type === Type.headers) serve(peer, stream);
      };
    });
  }

  static async start(serve: (peer: FramePeer, stream: number) => void): Promise<FrameServer> {
    const server = new FrameServer(serve);
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  get url(): string {
    return `h2c://127.0.0.1:${(this.#server.address() as net.AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const peer of this.#peers) peer[Symbol.dispose]();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
