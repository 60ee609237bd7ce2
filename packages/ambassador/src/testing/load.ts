import net from 'node:net';

/**
 * Sends one request after another over kept connections and never retries: a connection that breaks
 * during a request is a failure. `Connection: close` is honored.
 */
export class Load {
  answered = 0;
  /** Whether a connection that has ended is followed by another. */
  replacing = true;
  /** Responses by status. */
  readonly statuses = new Map<string, number>();
  /** The first hundred failures. */
  readonly failed: string[] = [];
  readonly #port: number;
  readonly #next: () => string | undefined;
  readonly #lanes: Promise<void>[];

  /** Starts the load. @param next creates the next request; undefined ends the connection. */
  constructor(port: number, connections: number, next: () => string | undefined) {
    this.#port = port;
    this.#next = next;
    this.#lanes = Array.from({ length: connections }, () => this.#run());
  }

  /** Resolves when all connections have ended. */
  async done(): Promise<void> {
    await Promise.all(this.#lanes);
  }

  async #run() {
    let request = this.#next();
    while (request !== undefined) request = await this.#connection(request);
  }

  /** Uses a connection until it closes; resolves to the next connection's first request. */
  #connection(first: string): Promise<string | undefined> {
    return new Promise((resolve) => {
      const socket = net.connect({ port: this.#port, host: '127.0.0.1', noDelay: true });
      let request: string | undefined = first;
      let text = '';
      const problem = (what: string) => {
        if (this.failed.length < 100) this.failed.push(`${what} after ${JSON.stringify(text)}`);
      };
      socket.setEncoding('latin1');
      socket.write(first, 'latin1');
      socket.on('error', (error) => {
        if (request !== undefined) problem(error.message);
        request = undefined;
      });
      socket.on('data', (chunk) => {
        text += chunk;
        const status = completeStatus(text, request?.startsWith('HEAD ') ?? false);
        if (status === undefined) return;
        this.answered++;
        this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1);
        if (!status.startsWith('2')) problem(`status ${status}`);
        const close = /\r\nConnection: close\r\n/i.test(text);
        text = '';
        if (close) {
          request = undefined;
          socket.end();
          return;
        }
        request = this.#next();
        if (request === undefined) socket.end();
        else socket.write(request, 'latin1');
      });
      socket.on('close', () => {
        if (request !== undefined) problem('closed');
        resolve(this.replacing ? this.#next() : undefined);
      });
    });
  }
}

/** Returns the status of a response that is complete by its head, its length or its last chunk. */
function completeStatus(text: string, headOnly: boolean): string | undefined {
  const end = text.indexOf('\r\n\r\n');
  if (end === -1) return undefined;
  if (headOnly) return text.slice(9, 12);
  const length = /\r\nContent-Length: (\d+)\r\n/i.exec(text.slice(0, end + 2));
  const complete = length
    ? text.length === end + 4 + Number(length[1])
    : text.endsWith('0\r\n\r\n');
  return complete ? text.slice(9, 12) : undefined;
}

/** Creates a mix of requests for both lanes, with bodies and closes. */
export function mixedRequest(n: number): string {
  if (n % 20 === 7)
    return `POST /post HTTP/1.1\r\nHost: a\r\nContent-Length: 1024\r\n\r\n${'x'.repeat(1024)}`;
  if (n % 100 === 3)
    return 'PUT /chunks HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n';
  if (n % 100 === 53) return 'GET /close HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
  return `GET /${n} HTTP/1.1\r\nHost: a\r\n\r\n`;
}
