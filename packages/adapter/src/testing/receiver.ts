import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';

export interface Received {
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export interface Response {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** An HTTP receiver that records requests and sends the responses that a test sets. */
export class Receiver implements AsyncDisposable {
  readonly requests: Received[] = [];
  /** The responses to the next requests; 200 after the last. */
  readonly answers: Response[] = [];
  /** The number of requests, those that were not accepted included. */
  count = 0;
  /** Responds with 503 to everything. */
  down = false;
  /** Takes requests and never responds. */
  silent = false;
  /** Resets connections in the middle of a request. */
  broken = false;
  /** Decides the response to a body; undefined accepts it. */
  respond: ((body: string) => Response | undefined) | undefined;
  readonly #server: Server;
  /** Tests read the records repeatedly: each body is parsed once. */
  readonly #parsed = new WeakMap<Received, Record<string, unknown>[]>();

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<Receiver> {
    const server = createServer();
    const receiver = new Receiver(server);
    server.on('request', (request, response) => {
      if (receiver.broken) {
        request.socket.resetAndDestroy();
        return;
      }
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const bytes = Buffer.concat(chunks);
        receiver.count++;
        if (receiver.silent) return;
        const zipped = request.headers['content-encoding'] === 'gzip';
        const text = (zipped ? gunzipSync(bytes) : bytes).toString('utf8');
        const answer = receiver.down
          ? { status: 503 }
          : (receiver.respond?.(text) ?? receiver.answers.shift());
        const { status = 200, headers = {}, body = '' } = answer ?? {};
        // Requests of the `respond` hook are recorded only if they were accepted.
        if (status !== 503 && (status < 300 || !receiver.respond)) {
          receiver.requests.push({ url: request.url ?? '', headers: request.headers, body: text });
        }
        response.writeHead(status, headers).end(body);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** All records of JSON lines, in the order of their arrival. */
  get records(): Record<string, unknown>[] {
    return this.requests.flatMap((request) => {
      let records = this.#parsed.get(request);
      if (!records) {
        records = request.body
          .split('\n')
          .filter((line) => line !== '')
          .map((line) => JSON.parse(line) as Record<string, unknown>);
        this.#parsed.set(request, records);
      }
      return records;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
