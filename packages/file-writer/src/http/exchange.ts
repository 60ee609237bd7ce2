import http from 'node:http';
import https from 'node:https';
import { errorText, proxyAgent, proxyFor } from '@sidekit/core';
import { Failure } from '../failure.ts';
import { readOptionFile } from './credentials.ts';
import { show } from './show.ts';

/** As many as git and curl follow by default in one chain. */
const REDIRECTS = 20;
const REDIRECT_STATUS = new Set([301, 302, 303, 307, 308]);

export interface ExchangeOptions {
  readonly method?: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent to the server of the URL only, see isSameServer. */
  readonly credentials?: Readonly<Record<string, string>> | undefined;
  readonly body?: Uint8Array;
  /** The longest time that the server may send nothing, in milliseconds. */
  readonly idleTimeout: number;
  readonly signal: AbortSignal;
  /** How many redirects are followed, 20 by default; with 0 one is a response like any other. */
  readonly redirects?: number;
  /** A file with PEM certificates, read for each request so that it can be rotated. */
  readonly caFile?: string | undefined;
}

export interface Exchange {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  /** The streamed body. Must be read or destroyed. */
  readonly body: http.IncomingMessage;
  /** The URL of the response, after redirects. */
  readonly url: URL;
}

// Following a thousand URLs must not cost a thousand handshakes per interval.
const keepAlive = { keepAlive: true, maxFreeSockets: 16, scheduling: 'lifo' } as const;
const agents = new Map<string, http.Agent>();

/** Returns the agent for a URL, and the proxy that the environment names for it. */
function routeTo(url: URL): { readonly agent: http.Agent; readonly proxy: string | undefined } {
  const proxy = explainedProxy(url);
  const key = `${url.protocol} ${proxy}`;
  const known = agents.get(key);
  const Agent = url.protocol === 'https:' ? https.Agent : http.Agent;
  const agent = known ?? proxyAgent(url, keepAlive) ?? new Agent(keepAlive);
  agents.set(key, agent);
  return { agent, proxy };
}

function explainedProxy(url: URL): string | undefined {
  try {
    return proxyFor(url);
  } catch (error) {
    throw new Failure('proxy', errorText(error));
  }
}

/** Sends one request, follows redirects, and returns the response as a stream. @throws {Failure} */
export async function exchange(address: string, options: ExchangeOptions): Promise<Exchange> {
  let url = new URL(address);
  const first = url;
  const limit = options.redirects ?? REDIRECTS;
  for (let redirects = 0; ; redirects++) {
    const body = await request(
      url,
      isSameServer(first, url) ? options : { ...options, credentials: undefined },
    );
    const status = body.statusCode ?? 0;
    const { location } = body.headers;
    const kept = options.body === undefined || status === 307 || status === 308;
    if (!REDIRECT_STATUS.has(status) || location === undefined || !kept || limit === 0) {
      return { status, headers: body.headers, body, url };
    }
    body.destroy();
    const next = URL.canParse(location, url) ? new URL(location, url) : undefined;
    const downgrade = url.protocol === 'https:' && next?.protocol !== 'https:';
    if (!next || downgrade || !/^https?:$/.test(next.protocol)) {
      throw new Failure(
        'redirect',
        `${show(url)} redirects to ${next ? show(next) : 'an invalid URL'}, which is refused: correct the URL`,
      );
    }
    if (redirects === limit) {
      throw new Failure(
        'redirect',
        `${show(address)} redirects more than ${limit} times: correct the URL`,
      );
    }
    url = next;
  }
}

/** Checks whether a redirect may take credentials along: to the same host, never less secure. */
export function isSameServer(own: URL, other: URL): boolean {
  if (own.origin === other.origin) return true;
  const upgraded = own.protocol === 'http:' && other.protocol === 'https:';
  return upgraded && own.hostname === other.hostname && own.port === '' && other.port === '';
}

async function request(url: URL, options: ExchangeOptions): Promise<http.IncomingMessage> {
  const { caFile } = options;
  const secure = url.protocol === 'https:' && caFile !== undefined;
  const ca = secure ? await readOptionFile('--ca-file', caFile, 'mount it there') : undefined;
  for (let again = true; ; again = false) {
    try {
      return await attempt(url, options, ca);
    } catch (error) {
      // A connection kept alive may have been closed by the server just now.
      if (again && (error as { reused?: boolean }).reused) continue;
      throw explainNetwork(error, url);
    }
  }
}

function attempt(
  url: URL,
  options: ExchangeOptions,
  ca: string | undefined,
): Promise<http.IncomingMessage> {
  const { method = 'GET', headers, credentials, body, idleTimeout, signal } = options;
  const secure = url.protocol === 'https:';
  return new Promise((resolve, reject) => {
    const { agent } = routeTo(url);
    const outgoing = (secure ? https : http).request(url, {
      method,
      signal,
      timeout: idleTimeout,
      agent,
      headers: {
        'user-agent': 'sidekit-file-writer',
        ...(body ? { 'content-length': body.length } : {}),
        ...headers,
        ...credentials,
      },
      ...(ca === undefined ? {} : { ca }),
    });
    let received: http.IncomingMessage | undefined;
    outgoing.on('timeout', () =>
      (received ?? outgoing).destroy(
        new Failure(
          'timeout',
          `${show(url)} sent nothing for ${idleTimeout} ms: raise --idle-timeout, or check the server`,
        ),
      ),
    );
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      const reused = outgoing.reusedSocket && error.code === 'ECONNRESET';
      reject(reused ? Object.assign(error, { reused }) : error);
    });
    outgoing.on('response', (response) => {
      received = response;
      resolve(response);
    });
    outgoing.end(body);
  });
}

/** Iterates over the chunks of a body; an error or an early end becomes a Failure. */
export async function* bodyOf({ body, url }: Exchange): AsyncGenerator<Uint8Array> {
  try {
    yield* body as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw explainNetwork(error, url);
  } finally {
    body.destroy();
  }
  if (!body.complete) throw explainNetwork(new Error('aborted'), url);
}

const TLS = /^(UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|CERT_|ERR_TLS|ERR_SSL|HOSTNAME_MISMATCH)/;

const NETWORK: Readonly<Record<string, readonly [reason: string, remedy: string]>> = {
  ECONNREFUSED: [
    'unreachable',
    'nothing listens there; is the server running, and the port right?',
  ],
  ENOTFOUND: ['dns', 'the name is unknown; correct the host, or check the cluster DNS'],
  EAI_AGAIN: ['dns', 'the name server did not answer; check the cluster DNS'],
  ECONNRESET: ['cut', 'the server or a proxy cut the connection'],
  EPIPE: ['cut', 'the server or a proxy cut the connection'],
  ETIMEDOUT: ['timeout', 'no connection could be established; check network policies'],
  EHOSTUNREACH: ['unreachable', 'there is no route; check network policies'],
  EPROTO: [
    'tls',
    'that port does not speak TLS; correct the scheme or the port of the URL, or the settings of the server',
  ],
  ERR_PROXY_TUNNEL: ['proxy', 'the proxy refused the tunnel; check its access rules'],
  ERR_TLS_CERT_ALTNAME_INVALID: [
    'tls',
    'its certificate is for another name; correct the host in the URL, or the certificate',
  ],
  CERT_HAS_EXPIRED: [
    'tls',
    'its certificate has expired; renew it, or correct the clock of this node',
  ],
  CERT_NOT_YET_VALID: ['tls', 'its certificate is not valid yet; correct the clock of this node'],
  ENETUNREACH: ['unreachable', 'there is no route; check network policies'],
};

function explainNetwork(error: unknown, url: URL): unknown {
  if (error instanceof Failure) return error;
  const { code = '', name, message } = error as NodeJS.ErrnoException;
  // The caller knows the reason: the stop of the process, or the end of the time for one check.
  if (name === 'AbortError') return error;
  if (message === 'aborted')
    return new Failure('cut', `${show(url)} cut the connection in the middle of the response`);
  const [reason, remedy] =
    NETWORK[code] ??
    (TLS.test(code)
      ? ['tls', 'its certificate is not trusted; give the authority with --ca-file']
      : ['network', 'check the server and the network']);
  const { proxy } = routeTo(url);
  const via = proxy === undefined ? '' : ` through the proxy ${show(proxy)}`;
  return new Failure(
    reason,
    `${show(url)} cannot be reached${via} (${errorText(error).replace(/\s+/g, ' ').trim()}): ${remedy}`,
  );
}
