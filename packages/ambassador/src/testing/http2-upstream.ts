import { once } from 'node:events';
import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';

type Serve = (stream: http2.ServerHttp2Stream, fields: http2.IncomingHttpHeaders) => void;

/** An HTTP/2 upstream in cleartext for tests, which counts its sessions and streams. */
export class Http2Upstream implements AsyncDisposable {
  readonly server: http2.Http2Server;
  readonly sessions = new Set<http2.ServerHttp2Session>();
  opened = 0;
  requests = 0;

  private constructor(serve: Serve, options: http2.ServerOptions) {
    this.server = http2.createServer(options);
    this.server.on('session', (session) => {
      this.opened++;
      this.sessions.add(session);
      session.on('error', () => {});
      session.once('close', () => this.sessions.delete(session));
    });
    this.server.on('stream', (stream, fields) => {
      this.requests++;
      stream.on('error', () => {});
      serve(stream as http2.ServerHttp2Stream, fields);
    });
  }

  static async start(
    serve: Serve,
    { port = 0, ...options }: http2.ServerOptions & { port?: number } = {},
  ): Promise<Http2Upstream> {
    const upstream = new Http2Upstream(serve, options);
    upstream.server.listen(port, '127.0.0.1');
    await once(upstream.server, 'listening');
    return upstream;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `h2c://127.0.0.1:${this.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const session of this.sessions) session.destroy();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }
}
