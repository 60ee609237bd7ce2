import { once } from 'node:events';
import http2 from 'node:http2';

/** A response over HTTP/2. */
export interface Http2Response {
  /** 0 if none arrived. */
  readonly status: number;
  /** Names and values in turn. */
  readonly fields: readonly string[];
  readonly body: string;
  /** Names and values in turn. */
  readonly trailers: readonly string[];
  /** The statuses of informational responses. */
  readonly informational: readonly number[];
  /** The error code of RST_STREAM; 0 for none. */
  readonly code: number;
  readonly error: string | undefined;
}

/** An HTTP/2 client with one session. */
export class Http2Client implements Disposable {
  readonly session: http2.ClientHttp2Session;

  private constructor(session: http2.ClientHttp2Session) {
    this.session = session;
    session.on('error', () => {});
  }

  static async connect(
    url: string,
    options: http2.SecureClientSessionOptions = {},
  ): Promise<Http2Client> {
    const session = http2.connect(url, { maxSessionMemory: 1000, ...options });
    const client = new Http2Client(session);
    await once(session, 'connect');
    return client;
  }

  /** Sends a request; resolves when its stream has closed. */
  request(
    headers: http2.OutgoingHttpHeaders,
    body?: string | Buffer,
    trailers?: http2.OutgoingHttpHeaders,
  ): Promise<Http2Response> {
    return new Promise((resolve) => {
      const ends = body === undefined && trailers === undefined;
      const stream = this.session.request(headers, {
        endStream: ends,
        waitForTrailers: trailers !== undefined,
      });
      const got = { status: 0, fields: [] as string[], trailers: [] as string[], body: '' };
      const informational: number[] = [];
      let error: string | undefined;
      stream.setEncoding('latin1');
      stream.on('headers', (fields) => informational.push(Number(fields[':status'])));
      stream.on('response', (fields, _flags, raw: unknown) => {
        got.status = Number(fields[':status']);
        got.fields = raw as string[];
      });
      stream.on('trailers', (_fields, _flags, raw: unknown) => {
        got.trailers = raw as string[];
      });
      stream.on('wantTrailers', () => stream.sendTrailers(trailers!));
      stream.on('data', (text) => (got.body += text));
      stream.on('error', (cause: Error) => (error = cause.message));
      stream.on('close', () =>
        resolve({ ...got, informational, code: stream.rstCode ?? 0, error }),
      );
      if (!ends) stream.end(body);
    });
  }

  [Symbol.dispose](): void {
    this.session.destroy();
  }
}
