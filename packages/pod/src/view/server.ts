import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { assetOf } from './assets.ts';
import { EventStream } from './event-stream.ts';
import { LogBatches } from './log-batches.ts';
import type { PodSource } from './source.ts';

/** More connections than a person's browser needs are refused. */
const MAX_CONNECTIONS = 64;

const HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

/** The keys of one server: the token of its URL, and the session that it is exchanged for. */
export interface ViewKeys {
  readonly token: string;
  readonly session: string;
  /** The folder of the page: cookies are sent to every port of a host, but only below their path. */
  readonly path: string;
}

export function createKeys(): ViewKeys {
  const key = () => randomBytes(24).toString('base64url');
  return { token: key(), session: key(), path: key() };
}

/**
 * Serves the page to the one who knows the token. The token is exchanged for an HttpOnly cookie
 * with a path that nobody else knows, since another user's server on this host would be sent a
 * cookie of the root. Requests for another host name, or from another origin, get nothing.
 */
export function createViewServer(source: PodSource, keys: ViewKeys): Server {
  const server = createServer((request, response) => {
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    const { port } = server.address() as { port: number };
    if (!isOwn(request, port)) return refuse(response, 403, 'not for this host or origin');
    if (request.method !== 'GET') return refuse(response, 405, 'only GET');
    const url = new URL(request.url ?? '/', 'http://127.0.0.1');
    if (url.pathname === '/') return exchange(url, response, keys);
    const base = `/${keys.path}/`;
    const known = cookieOf(request) ?? '';
    if (!same(url.pathname.slice(0, base.length), base) || !same(known, keys.session)) {
      return refuse(response, 403, 'open the URL that pod view printed');
    }
    serve(url.pathname.slice(base.length), url, { source, request, response });
  });
  server.maxConnections = MAX_CONNECTIONS;
  return server;
}

function exchange(url: URL, response: ServerResponse, { token, session, path }: ViewKeys): void {
  if (!same(url.searchParams.get('token') ?? '', token)) {
    return refuse(response, 403, 'open the URL that pod view printed');
  }
  response.writeHead(303, {
    location: `/${path}/`,
    'set-cookie': `view=${session}; Path=/${path}/; HttpOnly; SameSite=Strict`,
  });
  response.end();
}

interface Exchange {
  readonly source: PodSource;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

function serve(page: string, url: URL, { source, request, response }: Exchange): void {
  const pod = url.searchParams.get('pod') ?? '';
  switch (page) {
    case 'pods': {
      const stream = new EventStream(request, response);
      stream.onClose(source.watch((message) => stream.send(message)));
      return;
    }
    case 'logs': {
      const stream = new EventStream(request, response);
      const batches = new LogBatches((batch) => stream.send(batch));
      const stop = source.followLogs(pod, (line) => batches.add(line));
      stream.onClose(() => {
        stop();
        batches.close();
      });
      return;
    }
    case 'sample':
      source
        .sample(pod)
        .catch(() => [])
        .then((samples) => {
          response.writeHead(200, { 'content-type': 'application/json' });
          response.end(JSON.stringify(samples));
        });
      return;
  }
  const asset = assetOf(page);
  if (!asset) return refuse(response, 404, 'no such page');
  response.writeHead(200, { 'content-type': asset.type });
  response.end(asset.content);
}

/** Whether a request is for this server by its own name, and not from another page. */
function isOwn({ headers }: IncomingMessage, port: number): boolean {
  const hosts = [`127.0.0.1:${port}`, `localhost:${port}`];
  if (!hosts.includes(headers.host ?? '')) return false;
  const { origin } = headers;
  if (origin !== undefined && !hosts.some((host) => origin === `http://${host}`)) return false;
  const site = headers['sec-fetch-site'];
  // Following the printed link from another program is a navigation without a site.
  return site === undefined || site === 'same-origin' || site === 'none';
}

function cookieOf({ headers }: IncomingMessage): string | undefined {
  return /(?:^|; )view=([\w-]+)/.exec(headers.cookie ?? '')?.[1];
}

/** Compares in constant time, whatever the lengths. */
function same(a: string, b: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(a), hash(b));
}

function refuse(response: ServerResponse, status: number, why: string): void {
  response.writeHead(status, { 'content-type': 'text/plain' }).end(`${why}\n`);
}
