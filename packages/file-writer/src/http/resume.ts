import { Failure } from '../failure.ts';
import type { DownloadOptions } from './download-options.ts';
import { bodyOf, type Exchange, exchange } from './exchange.ts';

/** How many requests in a row may fail to deliver enough. */
const ATTEMPTS = 5;
/** A part of this size, in bytes, is progress: smaller ones could go on for ever. */
const PROGRESS = 64 * 1024;

/** The identity of the content that all parts must share. */
interface Representation {
  /** A strong validator for If-Range: an entity tag or a date. */
  readonly validator: string;
  readonly header: 'etag' | 'last-modified';
  /** The complete length, in bytes. */
  readonly length: number;
}

/**
 * Delivers the body of a response. If it is interrupted, requests the rest with a range, as long
 * as every part proves to be of the same version: anything else starts over with the next check.
 */
export async function* resuming(
  response: Exchange,
  options: DownloadOptions,
): AsyncGenerator<Uint8Array> {
  const content = representationOf(response);
  let received = 0;
  let end = content?.length ?? Number.POSITIVE_INFINITY;
  let current = response;
  for (let failures = 0; ; ) {
    const start = received;
    let problem: unknown;
    try {
      for await (const chunk of bodyOf(current)) {
        received += chunk.length;
        if (received > end) throw cut(current, 'sent more than it announced');
        yield chunk;
      }
      if (!content || received === content.length) return;
      if (received !== end) problem = cut(current, 'sent less than it announced');
    } catch (error) {
      const resumable = error instanceof Failure && ['cut', 'network'].includes(error.reason);
      if (!resumable || !content || received > end) throw error;
      problem = error;
    }
    failures = received - start < PROGRESS ? failures + 1 : 0;
    if (failures === ATTEMPTS) throw problem ?? cut(current, 'sends only tiny ranges');
    ({ current, end } = await requestRest(response.url, content, received, options));
  }
}

/** @returns undefined if the rest of this response cannot be requested reliably. */
function representationOf({ headers }: Exchange): Representation | undefined {
  const { etag, 'last-modified': modified, date, 'accept-ranges': ranges } = headers;
  const length = Number(headers['content-length'] ?? Number.NaN);
  if (ranges !== 'bytes' || !Number.isSafeInteger(length)) return undefined;
  if (etag?.startsWith('"')) return { validator: etag, header: 'etag', length };
  // A date is a strong validator only if it is older than its resolution (RFC 9110 §8.8.2.2).
  const strong = Date.parse(date ?? '') - Date.parse(modified ?? '') >= 60_000;
  if (etag !== undefined || modified === undefined || !strong) return undefined;
  return { validator: modified, header: 'last-modified', length };
}

/** Requests the bytes from `offset` on, if the content is still the same (RFC 9110 §13.1.5). */
async function requestRest(
  url: URL,
  content: Representation,
  offset: number,
  options: DownloadOptions,
): Promise<{ current: Exchange; end: number }> {
  const current = await exchange(url.href, {
    ...options,
    headers: {
      'accept-encoding': 'identity',
      range: `bytes=${offset}-`,
      'if-range': content.validator,
    },
  });
  const problem = mismatch(current, content, offset);
  if (problem === undefined) return { current, end: rangeOf(current)!.last + 1 };
  current.body.destroy();
  throw cut(current, `${problem}, so that the download starts over`);
}

/** @returns why a response is not the rest of the same content; undefined if it is. */
function mismatch(response: Exchange, content: Representation, offset: number): string | undefined {
  const { status, headers, body } = response;
  if (status !== 206) return `answered ${status} to the request for the rest`;
  const range = rangeOf(response);
  if (range?.first !== offset) return 'sent another range than requested';
  if (range.total !== content.length || range.last < range.first || range.last >= range.total)
    return 'sent a range of another length';
  // Node keeps the first of two headers with one name.
  const validators = body.headersDistinct[content.header] ?? [];
  if (validators.length !== 1 || validators[0] !== content.validator)
    return 'sent the rest of another version';
  const length = headers['content-length'];
  if (length !== undefined && Number(length) !== range.last + 1 - range.first)
    return 'sent a range of another length than it announced';
  if (headers['content-type']?.startsWith('multipart/byteranges')) return 'sent several ranges';
  const codings = headers['transfer-encoding']?.trim().toLowerCase();
  if (codings !== undefined && codings !== 'chunked') return 'encoded the range';
  if (!['', 'identity'].includes(headers['content-encoding'] ?? '')) return 'encoded the range';
  return undefined;
}

/** Parses Content-Range (RFC 9110 §14.4). */
function rangeOf({ headers }: Exchange) {
  const match = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/.exec(headers['content-range'] ?? '');
  if (!match) return undefined;
  return { first: Number(match[1]), last: Number(match[2]), total: Number(match[3]) };
}

function cut({ url }: Exchange, what: string): Failure {
  return new Failure('cut', `${url.origin}${url.pathname} ${what}: check the server`);
}
