import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIPv6 } from 'node:net';
import { errorText } from '@sidekit/core/tool';
import { knownPort } from '../../manifest/references/port-number.ts';
import type { HttpGet } from '../../manifest/types.ts';
import type { HandlerOutcome, HandlerTarget } from './handler.ts';
import { USER_AGENT } from './user-agent.ts';

/** Not imported: see EngineApi. */
const { request: httpRequest } = process.getBuiltinModule('node:http');

const MAX_REDIRECTS = 10;
/** The most that is read of a body, in bytes (kubelet: maxRespBodyLength). */
const BODY = 10 * 1024;
/** Statuses that Go's client follows, if there is a Location. */
const REDIRECTS = [301, 302, 303, 307, 308];

/**
 * Gets a URL as the kubelet does (pkg/probe/http): 200 to 399 is success, once up to 10 KiB of the
 * body have arrived in time. Redirects are followed while the host name stays the same, ten times
 * at most; one to another host ends the probe with success.
 * @param timeout in milliseconds, for all requests together.
 */
export async function httpGet(
  action: HttpGet,
  target: HandlerTarget,
  timeout: number,
): Promise<HandlerOutcome> {
  const port = knownPort([target.container], action.port);
  const place = action.host ? { host: action.host, port } : target.reach(port);
  const host = isIPv6(place.host) ? `[${place.host}]` : place.host;
  const path = action.path.startsWith('/') ? action.path : `/${action.path}`;
  let url = new URL(`${action.scheme.toLowerCase()}://${host}:${place.port}${path}`);
  const signal = AbortSignal.timeout(Math.max(1, timeout));
  try {
    for (let redirects = 0; ; redirects++) {
      const response = await get(url, action.httpHeaders, signal);
      const next = redirectOf(response, url);
      if (next === undefined) return await verdict(response);
      response.destroy();
      if (next.hostname !== url.hostname) {
        return { result: 'success', message: `redirect to another host: ${next.hostname}` };
      }
      if (redirects === MAX_REDIRECTS) {
        return { result: 'failure', message: `stopped after ${MAX_REDIRECTS} redirects` };
      }
      url = next;
    }
  } catch (error) {
    const message = signal.aborted ? `no response from ${url} in time` : errorText(error);
    return { result: 'failure', message };
  }
}

function get(
  url: URL,
  headers: HttpGet['httpHeaders'],
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const outgoing = request(
      url,
      // A certificate is not verified: the kubelet cannot know who signed it.
      { headers: headerList(url, headers), agent: false, signal, rejectUnauthorized: false },
      resolve,
    );
    outgoing.once('error', reject);
    outgoing.end();
  });
}

/** Names and values in turn, so that a header given twice is sent twice; an empty default is left out. */
function headerList(url: URL, headers: HttpGet['httpHeaders']): string[] {
  const given = new Set(headers.map(({ name }) => name.toLowerCase()));
  const defaults = { Host: url.host, 'User-Agent': USER_AGENT, Accept: '*/*' };
  return [
    ...Object.entries(defaults).filter(([name]) => !given.has(name.toLowerCase())),
    ...headers
      .filter(({ name, value }) => value !== '' || !/^(user-agent|accept)$/i.test(name))
      .map(({ name, value }) => [name, value]),
    ['Connection', 'close'],
  ].flat();
}

/** @throws TypeError for a Location that is no URL. */
function redirectOf({ statusCode = 0, headers }: IncomingMessage, url: URL): URL | undefined {
  if (!REDIRECTS.includes(statusCode) || !headers.location) return undefined;
  return new URL(headers.location, url);
}

async function verdict(response: IncomingMessage): Promise<HandlerOutcome> {
  let length = 0;
  for await (const chunk of response) {
    length += chunk.length;
    if (length >= BODY) break;
  }
  response.destroy();
  const { statusCode = 0 } = response;
  if (statusCode >= 200 && statusCode < 400) return { result: 'success' };
  return { result: 'failure', message: `HTTP probe failed with statuscode: ${statusCode}` };
}
