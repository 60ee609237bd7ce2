import http from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import { formatSize } from '../options/index.ts';
import { Gathered } from './gathered.ts';
import { proxyAgent } from './proxy.ts';
import { splitUser } from './url-user.ts';

export interface HttpRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** For the whole exchange, in milliseconds. */
  readonly timeout: number;
  /** The largest response body that is accepted, in bytes; 1 MiB by default. */
  readonly limit?: number;
  /** How many bytes of the response body are kept, the first ones; all by default. */
  readonly keep?: number;
  readonly signal?: AbortSignal | undefined;
  /** Keeps connections alive; by default each request has its own. */
  readonly agent?: http.Agent | undefined;
  /** Goes through the proxy that the environment names (`proxyFor`); false by default. */
  readonly proxy?: boolean;
  /** PEM of the authorities to trust instead of the system's. */
  readonly ca?: string | Buffer | undefined;
  /**
   * Called when the connection stands, right before the request is written; what it throws ends
   * the exchange. For a permission that may have ended while the connection was made.
   */
  readonly before?: (() => void) | undefined;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
}

/**
 * One HTTP exchange with everything bounded; redirects are not followed. Any status resolves.
 * Small and lazy where `fetch` would load all of undici: a sidecar's start and memory count.
 * @throws Error where the exchange failed, timed out, was aborted or was larger than `limit`.
 */
export function send(address: string | URL, request: HttpRequest): Promise<HttpResponse> {
  const { method = 'GET', headers, body, timeout, limit = 1024 * 1024, agent, ca } = request;
  const { keep = limit } = request;
  const { url, authorization } = splitUser(address);
  const { request: start } = url.protocol === 'https:' ? https : http;
  return new Promise((resolve, reject) => {
    const length = body === undefined ? undefined : Buffer.byteLength(body);
    const outgoing = start(url, {
      method,
      headers: {
        ...(authorization === undefined ? {} : { authorization }),
        ...(length === undefined ? {} : { 'content-length': length }),
        ...headers,
      },
      ...(request.signal ? { signal: request.signal } : {}),
      ...(ca === undefined ? {} : { ca }),
      agent: agent ?? (request.proxy ? proxyAgent(url) : undefined) ?? false,
    });
    const timer = setTimeout(
      () => outgoing.destroy(new Error(`no complete answer within ${timeout} ms`)),
      timeout,
    );
    outgoing.on('error', reject);
    outgoing.on('close', () => {
      clearTimeout(timer);
      // Where nothing else settled it: an answer that is none, such as an unasked upgrade.
      reject(new Error('the connection was closed before a complete answer'));
    });
    outgoing.on('response', (response) => {
      const kept = new Gathered();
      let total = 0;
      response.on('data', (chunk: Buffer) => {
        total += chunk.length;
        if (total > limit) {
          // All of it may be here already: its end would come before the error of a destroy.
          reject(new Error(`the answer is larger than ${formatSize(limit)}`));
          outgoing.destroy();
        } else {
          kept.add(chunk.subarray(0, keep - kept.length));
        }
      });
      response.on('error', reject);
      response.on('end', () => {
        // The rest of a body that nobody waits for must not be sent: the caller may reuse it.
        if (!outgoing.writableFinished) outgoing.destroy();
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: kept.bytes(),
        });
      });
    });
    const finish = () => {
      try {
        request.before?.();
        outgoing.end(body);
      } catch (error) {
        outgoing.destroy(error as Error);
      }
    };
    if (!request.before) finish();
    // Nothing is written before `end`, so that what is refused here was not sent.
    else outgoing.on('socket', (socket) => whenConnected(socket, finish));
  });
}

function whenConnected(socket: Socket, act: () => void): void {
  if (socket.connecting) socket.once('encrypted' in socket ? 'secureConnect' : 'connect', act);
  else act();
}
