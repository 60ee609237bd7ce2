import { createGunzip, type Gunzip } from 'node:zlib';
import { Failure } from '../failure.ts';
import { bodyOf, type Exchange, type ExchangeOptions, exchange } from './exchange.ts';
import { show } from './show.ts';
import { statusFailure } from './status.ts';

/** How often an interrupted download is resumed. */
const RESUMES = 5;

/** The validators that make the next request conditional (RFC 9110 §8.8). */
export interface Validators {
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
}

export interface Download {
  readonly chunks: AsyncIterable<Uint8Array>;
  readonly validators: Validators;
  cancel(): void;
}

type Options = Pick<ExchangeOptions, 'credentials' | 'idleTimeout' | 'signal' | 'caFile'> & {
  /** The validators of the published content; without them the request is unconditional. */
  readonly validators?: Validators | undefined;
};

/**
 * Downloads a URL: undefined if it has not changed (304). An interrupted body is resumed with a
 * range request if the server sent a strong entity tag and accepts ranges.
 * @throws {Failure}
 */
export async function download(url: string, options: Options): Promise<Download | undefined> {
  const { validators } = options;
  const response = await exchange(url, {
    ...options,
    headers: {
      accept: '*/*',
      'accept-encoding': 'gzip',
      ...(validators?.etag ? { 'if-none-match': validators.etag } : {}),
      ...(validators?.lastModified ? { 'if-modified-since': validators.lastModified } : {}),
    },
  });
  if (response.status === 304 && validators) {
    response.body.resume();
    return undefined;
  }
  if (response.status !== 200) {
    response.body.destroy();
    throw statusFailure(response, '--bearer-token-file or --header');
  }
  const sameOrigin = new URL(url).origin === response.url.origin;
  return {
    chunks: decoded(response, sameOrigin ? options : { ...options, credentials: undefined }),
    validators: { etag: response.headers.etag, lastModified: response.headers['last-modified'] },
    cancel: () => void response.body.destroy(),
  };
}

function decoded(response: Exchange, options: Options): AsyncIterable<Uint8Array> {
  const encoding = response.headers['content-encoding']?.trim().toLowerCase() ?? 'identity';
  if (encoding === 'identity') return resuming(response, options);
  if (encoding === 'gzip' || encoding === 'x-gzip') return unzipped(response);
  response.body.destroy();
  throw new Failure(
    'encoding',
    `${show(response.url)} answered with the content encoding ${encoding}, which was not requested: turn it off at the server`,
  );
}

async function* unzipped(response: Exchange): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip();
  const feed = (async () => {
    for await (const chunk of bodyOf(response)) {
      if (!gunzip.write(chunk)) await drained(gunzip);
    }
    gunzip.end();
  })();
  feed.catch((error) => gunzip.destroy(error));
  try {
    yield* gunzip as AsyncIterable<Uint8Array>;
    await feed;
  } catch (error) {
    if (error instanceof Failure || (error as Error).name === 'AbortError') throw error;
    throw new Failure('encoding', `${show(response.url)} sent invalid gzip data: check the server`);
  } finally {
    gunzip.destroy();
    response.body.destroy();
  }
}

/** Waits until the stream accepts more data, or is closed. */
function drained(stream: Gunzip): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      stream.off('drain', done).off('close', done);
      resolve();
    };
    stream.on('drain', done).on('close', done);
  });
}

async function* resuming(response: Exchange, options: Options): AsyncGenerator<Uint8Array> {
  const { etag, 'content-length': length, 'accept-ranges': ranges } = response.headers;
  const strong =
    etag?.startsWith('"') && ranges === 'bytes' && length !== undefined ? etag : undefined;
  let received = 0;
  let current = response;
  for (let resumes = 0; ; resumes++) {
    try {
      for await (const chunk of bodyOf(current)) {
        received += chunk.length;
        yield chunk;
      }
      return;
    } catch (error) {
      const cut = error instanceof Failure && ['cut', 'network'].includes(error.reason);
      if (!cut || strong === undefined || resumes === RESUMES) throw error;
      current = await rest(response.url, strong, received, options, error);
    }
  }
}

/** Requests the bytes from `offset` on, of the same representation (RFC 9110 §13.1.5, If-Range). */
async function rest(url: URL, etag: string, offset: number, options: Options, cause: Failure) {
  const response = await exchange(url.href, {
    ...options,
    headers: { 'accept-encoding': 'identity', range: `bytes=${offset}-`, 'if-range': etag },
  });
  const right = response.headers['content-range']?.startsWith(`bytes ${offset}-`);
  if (response.status === 206 && right) return response;
  response.body.destroy();
  throw cause;
}
