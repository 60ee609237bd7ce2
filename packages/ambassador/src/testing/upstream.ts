import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';

/** An HTTP upstream for tests, which counts its connections. */
export class TestUpstream implements AsyncDisposable {
  readonly server: http.Server;
  connections = 0;
  requests = 0;

  private constructor(serve: http.RequestListener) {
    this.server = http.createServer({ keepAliveTimeout: 30_000 }, (request, response) => {
      this.requests++;
      request.on('error', () => {});
      response.on('error', () => {});
      serve(request, response);
    });
    this.server.on('connection', () => this.connections++);
  }

  static async start(serve: http.RequestListener, port = 0): Promise<TestUpstream> {
    const upstream = new TestUpstream(serve);
    upstream.server.listen(port, '127.0.0.1');
    await once(upstream.server, 'listening');
    return upstream;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/** A response: status, header fields and body. */
export interface Got {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly trailers: NodeJS.Dict<string>;
  readonly body: string;
}

/** Sends a request by node:http, on its own connection unless an agent is given. */
export function request(
  url: string,
  options: http.RequestOptions & { body?: string | Buffer } = {},
): Promise<Got> {
  return new Promise((resolve, reject) => {
    const { body, ...rest } = options;
    const outgoing = http.request(url, { agent: false, ...rest });
    outgoing.on('error', reject);
    outgoing.on('response', (response) => {
      response.setEncoding('latin1');
      let text = '';
      response.on('data', (chunk) => (text += chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          trailers: response.trailers,
          body: text,
        }),
      );
    });
    outgoing.end(body);
  });
}
