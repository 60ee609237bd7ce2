import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { isIP } from 'node:net';
import { errorText } from '../errors.ts';
import { Gathered } from '../io/gathered.ts';
import { isLoopback } from '../io/proxy.ts';
import { readSmallFile } from '../io/small-file.ts';
import { monotonic } from '../time/monotonic.ts';

export interface PostRequest {
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** A status (by default 202 for POST, 200 for GET) with a text or JSON value, or no body. */
export interface PostResponse {
  readonly status?: number;
  readonly body?: unknown;
}

export interface PostOptions {
  /** The largest body, in bytes; 64 KiB by default. */
  readonly limit?: number;
  /**
   * Requests a second that are accepted, in bursts of as many; 10 by default. Those from loopback
   * or with the token are counted apart from others.
   */
  readonly rate?: number;
  /** Accepts a request from elsewhere by its own means, such as a signature of the body. */
  readonly authorize?: (request: PostRequest) => boolean;
}

/** Returns the response of a GET endpoint, at once or when there is one. */
export type GetHandler = () => PostResponse | Promise<PostResponse>;

/** How many requests may wait for one GET endpoint at the same time. */
const WAITING_LIMIT = 16;

export type PostHandler = (
  request: PostRequest,
) => PostResponse | undefined | Promise<PostResponse | undefined>;

/** The longest token that is read, in bytes. */
const TOKEN_LIMIT = 4096;

/** How many bodies may arrive at one endpoint at the same time: they are in memory until complete. */
const BODIES_LIMIT = 8;

/** Counts what one kind of requests takes of an endpoint. */
interface Share {
  readonly rate: Bucket;
  bodies: number;
}

interface PostEndpoint {
  readonly handle: PostHandler;
  readonly options: PostOptions;
  readonly trusted: Share;
  /** For requests that only `authorize` can accept: a flood of them delays no trusted one. */
  readonly others: Share;
}

/**
 * The endpoints that a sidecar adds to its admin port. POST is accepted from loopback, or with the
 * bearer token of a file. A request that a browser or a proxy made for somebody else (a foreign
 * Host or Origin, a forwarding header) counts as one from elsewhere.
 */
export class AdminEndpoints {
  readonly #posts = new Map<string, PostEndpoint>();
  readonly #gets = new Map<string, { handle: GetHandler; waiting: number }>();
  readonly #tokenFile: string | undefined;

  constructor(tokenFile?: string) {
    this.#tokenFile = tokenFile;
  }

  /** Adds an endpoint that answers 202, 403, 413, 429, or what the handler returns. */
  post(path: string, handle: PostHandler, options: PostOptions = {}): void {
    const share = () => ({ rate: new Bucket(options.rate ?? 10), bodies: 0 });
    this.#posts.set(path, { handle, options, trusted: share(), others: share() });
  }

  /** Adds a page that shows a value as JSON, for GET. */
  page(path: string, value: () => unknown): void {
    this.get(path, () => ({ body: value() }));
  }

  /**
   * Adds an endpoint for GET that answers 200 or what the handler returns, when it does; 429 while
   * 16 requests wait for it.
   */
  get(path: string, handle: GetHandler): void {
    this.#gets.set(path, { handle, waiting: 0 });
  }

  /** The paths of all endpoints. */
  get paths(): string[] {
    return [...new Set([...this.#posts.keys(), ...this.#gets.keys()])];
  }

  /** Answers a request if its path is one of the endpoints. */
  handle(path: string, request: IncomingMessage, response: ServerResponse): boolean {
    const { method = '' } = request;
    const get = this.#gets.get(path);
    const post = this.#posts.get(path);
    if (get && (method === 'GET' || method === 'HEAD')) {
      void this.#get(get, response);
    } else if (post && method === 'POST') {
      void this.#post(post, request, response);
    } else if (get || post) {
      const allow = [...(get ? ['GET', 'HEAD'] : []), ...(post ? ['POST'] : [])].join(', ');
      response.writeHead(405, { allow }).end();
    }
    return get !== undefined || post !== undefined;
  }

  async #get(endpoint: { handle: GetHandler; waiting: number }, response: ServerResponse) {
    if (endpoint.waiting >= WAITING_LIMIT) {
      answer(response, 429, 'too many requests wait for this: try again later\n');
      return;
    }
    endpoint.waiting++;
    // A caller that has left no longer waits, whatever the handler does.
    response.once('close', () => endpoint.waiting--);
    try {
      const { status = 200, body } = await endpoint.handle();
      answer(response, status, body);
    } catch (error) {
      answer(response, 500, `${errorText(error)}\n`);
    }
  }

  async #post(
    { handle, options, trusted: own, others }: PostEndpoint,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const trusted = isLocal(request) || this.#hasToken(request.headers.authorization);
    // A request that nothing can accept costs neither a body nor a place in the rate.
    if (!trusted && !options.authorize) return refuse(response, request, 403, FORBIDDEN);
    const share = trusted ? own : others;
    const wait = share.bodies < BODIES_LIMIT ? share.rate.take() : 1;
    if (wait > 0) {
      response.setHeader('retry-after', String(Math.ceil(wait)));
      return refuse(response, request, 429, 'too many requests: try again later\n');
    }
    const limit = options.limit ?? 64 * 1024;
    share.bodies++;
    const body = await readBody(request, limit).finally(() => share.bodies--);
    if (body === 'too large') {
      return refuse(response, request, 413, `the body must be at most ${limit} bytes\n`);
    }
    if (body === 'cut') return;
    const given = { headers: request.headers, body };
    if (!trusted && !options.authorize?.(given)) return refuse(response, request, 403, FORBIDDEN);
    try {
      const { status = 202, body: result } = (await handle(given)) ?? {};
      answer(response, status, result);
    } catch (error) {
      answer(response, 500, `${errorText(error)}\n`);
    }
  }

  /** Reads the file at every request, so that a new token counts at once. */
  #hasToken(authorization = ''): boolean {
    const given = /^Bearer ([!-~]+)$/i.exec(authorization)?.[1];
    if (given === undefined || this.#tokenFile === undefined) return false;
    const token = readToken(this.#tokenFile);
    return token !== '' && timingSafeEqual(digest(given), digest(token));
  }
}

const FORBIDDEN = 'only from loopback, or with the bearer token of --admin-token-file\n';

/** Whether a request comes from a program on this host that knows whom it is talking to. */
function isLocal({ socket, headers }: IncomingMessage): boolean {
  // A Unix socket has no remote address; who may connect is for its directory to say.
  const peer = socket.remoteAddress;
  if (peer !== undefined && !isLoopback(peer)) return false;
  if (headers.forwarded ?? headers.via ?? headers['x-forwarded-for']) return false;
  const host = (headers.host ?? '').toLowerCase();
  const name = host.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
  // A name other than localhost could be one that a page in a browser had resolved to 127.0.0.1.
  if (name !== 'localhost' && isIP(name) === 0) return false;
  const { origin } = headers;
  return origin === undefined || origin.toLowerCase() === `http://${host}`;
}

function readToken(path: string): string {
  try {
    return readSmallFile(path, TOKEN_LIMIT).toString().trim();
  } catch {
    return '';
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

async function readBody(
  request: IncomingMessage,
  limit: number,
): Promise<Buffer | 'too large' | 'cut'> {
  if (Number(request.headers['content-length'] ?? 0) > limit) return 'too large';
  const gathered = new Gathered();
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      gathered.add(chunk as Buffer);
      if (gathered.length > limit) return 'too large';
    }
  } catch {
    return 'cut';
  }
  return gathered.bytes();
}

/** Answers and closes: the rest of the body is not read. */
function refuse(
  response: ServerResponse,
  request: IncomingMessage,
  status: number,
  text: string,
): void {
  response.setHeader('connection', 'close');
  answer(response, status, text);
  request.resume();
  response.on('finish', () => request.socket.destroySoon());
}

function answer(response: ServerResponse, status: number, value: unknown): void {
  if (value === undefined) {
    response.writeHead(status, { 'content-length': 0 }).end();
    return;
  }
  const text = typeof value === 'string' ? value : `${JSON.stringify(value)}\n`;
  response
    .writeHead(status, {
      'content-type': typeof value === 'string' ? 'text/plain; charset=utf-8' : 'application/json',
      'cache-control': 'no-store',
      'content-length': Buffer.byteLength(text),
    })
    .end(text);
}

/** Allows a number of requests a second, in bursts of as many. */
class Bucket {
  readonly #rate: number;
  #tokens: number;
  #at = monotonic();

  constructor(rate: number) {
    this.#rate = rate;
    this.#tokens = Math.max(1, rate);
  }

  /** Takes one, or returns the seconds until there is one. */
  take(): number {
    const now = monotonic();
    const earned = ((now - this.#at) / 1000) * this.#rate;
    this.#tokens = Math.min(Math.max(1, this.#rate), this.#tokens + earned);
    this.#at = now;
    if (this.#tokens < 1) return (1 - this.#tokens) / this.#rate;
    this.#tokens--;
    return 0;
  }
}
