import { errorText } from '@sidekit/core/tool';
import { readBounded } from './bounded.ts';

/** The longest time that a manifest may take, redirects included, in milliseconds. */
const TIMEOUT = 30_000;
const MAX_REDIRECTS = 5;

export function isUrl(name: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(name);
}

/** A URL without what may be secret in it: its credentials and its query. */
export function shownUrl(name: string): string {
  const url = URL.parse(name);
  return url ? `${url.protocol}//${url.host}${url.pathname}` : 'the URL';
}

/**
 * Downloads a manifest: over https, or over http from this machine. A redirect must keep to that
 * and to its scheme. Credentials are not sent.
 * @throws Error if that is broken, or if the manifest is too large or too late.
 */
export async function download(name: string): Promise<string> {
  const signal = AbortSignal.timeout(TIMEOUT);
  let url = allowed(name);
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const response = await get(url, signal);
    const { status, headers, body } = response;
    const location = headers.get('location');
    if (status < 300 || status >= 400 || location === null) {
      if (!response.ok) throw new Error(`${shownUrl(url.href)} answers ${status}`);
      if (!body) return '';
      return readBounded(body).catch((error: unknown) => {
        throw late(error);
      });
    }
    await body?.cancel();
    const next = allowed(location, url);
    if (next.protocol !== url.protocol) {
      throw new Error(`${shownUrl(url.href)} redirects to another scheme, ${next.protocol}`);
    }
    url = next;
  }
  throw new Error(`more than ${MAX_REDIRECTS} redirects`);
}

async function get(url: URL, signal: AbortSignal): Promise<Response> {
  try {
    return await fetch(url, { redirect: 'manual', signal });
  } catch (error) {
    throw late(error);
  }
}

function late(error: unknown): Error {
  if ((error as Error).name === 'TimeoutError') {
    return new Error(`not read within ${TIMEOUT / 1000} s`);
  }
  const { cause = error } = error as Error;
  return new Error(errorText(cause));
}

function allowed(name: string, base?: URL): URL {
  const url = URL.parse(name, base);
  if (!url) throw new Error('not a URL');
  if (url.username !== '' || url.password !== '') {
    throw new Error('credentials in a URL show in ps and in histories: download it yourself');
  }
  if (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname)))
    return url;
  throw new Error(
    `${url.protocol}//${url.host} is not allowed: only https, and http from this machine`,
  );
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127(\.\d+){3}$/.test(host);
}
