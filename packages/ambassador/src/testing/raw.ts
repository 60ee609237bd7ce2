import { once } from 'node:events';
import net from 'node:net';
import { eventually } from '@sidekit/test-kit';

/** A client of raw bytes, which records what it received. */
export class RawClient implements Disposable {
  readonly socket: net.Socket;
  received = '';
  ended = false;

  constructor(port: number) {
    this.socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
    this.socket.setEncoding('latin1');
    this.socket.on('data', (text) => (this.received += text));
    this.socket.on('end', () => (this.ended = true));
    this.socket.on('close', () => (this.ended = true));
    this.socket.on('error', () => (this.ended = true));
  }

  send(text: string): void {
    if (!this.socket.destroyed) this.socket.write(text, 'latin1');
  }

  /** Waits until `done` returns true or the other side ends. */
  async wait(what: string, done: () => boolean): Promise<void> {
    await eventually(() => this.ended || done(), {
      what: `${what}, having ${JSON.stringify(this.received.slice(0, 300))}`,
      interval: 1,
    });
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}

/** A server of raw bytes, which records what each connection sent. */
export class RawServer implements AsyncDisposable {
  readonly server: net.Server;
  readonly received: string[] = [];
  readonly sockets = new Set<net.Socket>();

  constructor(serve: (socket: net.Socket, text: string, index: number) => void) {
    this.server = net.createServer({ noDelay: true }, (socket) => {
      this.sockets.add(socket);
      const index = this.received.push('') - 1;
      socket.on('error', () => {});
      socket.on('close', () => this.sockets.delete(socket));
      socket.setEncoding('latin1');
      socket.on('data', (text) => {
        const all = (this.received[index] ?? '') + text;
        this.received[index] = all;
        serve(socket, all, index);
      });
    });
  }

  static async start(
    serve: (socket: net.Socket, text: string, index: number) => void,
  ): Promise<RawServer> {
    const server = new RawServer(serve);
    server.server.listen(0, '127.0.0.1');
    await once(server.server, 'listening');
    return server;
  }

  get port(): number {
    return (this.server.address() as net.AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/**
 * Splits the bytes that an upstream received into requests, by framing alone and independently of
 * the proxy's parser. The last may be incomplete.
 */
export function requestsIn(
  text: string,
): { readonly head: string; readonly body: string; readonly complete: boolean }[] {
  const found: { head: string; body: string; complete: boolean }[] = [];
  let rest = text;
  while (rest !== '') {
    const end = rest.indexOf('\r\n\r\n');
    if (end === -1) return [...found, { head: rest, body: '', complete: false }];
    const head = rest.slice(0, end + 4);
    rest = rest.slice(end + 4);
    const length = /\r\nContent-Length: (\d+)\r\n/.exec(head);
    if (/\r\nTransfer-Encoding: chunked\r\n/.test(head)) {
      const match = /^(?:[1-9a-f][0-9a-f]*\r\n[\s\S]*?\r\n)*?0\r\n(?:[^\r\n]+\r\n)*\r\n/.exec(rest);
      found.push({ head, body: match?.[0] ?? rest, complete: match !== null });
      rest = match ? rest.slice(match[0].length) : '';
    } else {
      const size = length ? Number(length[1]) : 0;
      found.push({ head, body: rest.slice(0, size), complete: rest.length >= size });
      rest = rest.slice(size);
    }
  }
  return found;
}

/** Replaces the parts that differ from run to run: ids and addresses. */
export function withoutIds(text: string): string {
  return text
    .replace(/(Via: 1\.1 ambassador)-[0-9a-f]{8}-[a-z0-9-]+/g, '$1')
    .replace(/(X-Request-Id: )[0-9a-f]{8}-[0-9a-f-]{27}/g, '$1ID')
    .replace(/(Traceparent: )00-[0-9a-f]{32}-[0-9a-f]{16}-01/g, '$1TRACE')
    .replace(/127\.0\.0\.1:\d+/g, 'ADDRESS');
}
