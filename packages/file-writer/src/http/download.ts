import { createGunzip, type Gunzip } from 'node:zlib';
import { Failure } from '../failure.ts';
import { bodyOf, type Exchange, type ExchangeOptions, exchange } from './exchange.ts';
import { show } from './show.ts';
import { statusFailure } from './status.ts';

/** How often a cut download goes on where it was cut. */
const RESUMES = 5;

/** What makes the next request conditional (RFC 9110 §8.8). */
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
  /** Of the content that is there; without them the request has no conditions. */
  readonly validators?: Validators | undefined;
};

/**
 * Gets a URL: undefined where it has not changed (304). A body that is cut goes on with a range
 * where the server gave a strong entity tag and takes ranges.
 * @throws {Failure}
 */
export async function download(url: string, options: Options): Promise<Download | undefined> {
  const { validators } = options;
  const answer = await exchange(url, {
    ...options,
    headers: {
      accept: '*/*',
      'accept-encoding': 'gzip',
      ...(validators?.etag ? { 'if-none-match': validators.etag } : {}),
      ...(validators?.lastModified ? { 'if-modified-since': validators.lastModified } : {}),
    },
  });
  if (answer.status === 304 && validators) {
    answer.body.resume();
    return undefined;
  }
  if (answer.status !== 200) {
    answer.body.destroy();
    throw statusFailure(answer, '--bearer-token-file or --header');
  }
  const sameOrigin = new URL(url).origin === answer.url.origin;
  return {
    chunks: decoded(answer, sameOrigin ? options : { ...options, credentials: undefined }),
    validators: { etag: answer.headers.etag, lastModified: answer.headers['last-modified'] },
    cancel: () => void answer.body.destroy(),
  };
}

function decoded(answer: Exchange, options: Options): AsyncIterable<Uint8Array> {
  const encoding = answer.headers['content-encoding']?.trim().toLowerCase() ?? 'identity';
  if (encoding === 'identity') return resuming(answer, options);
  if (encoding === 'gzip' || encoding === 'x-gzip') return unzipped(answer);
  answer.body.destroy();
  throw new Failure(
    'encoding',
    `${show(answer.url)} answered with the content encoding ${encoding}, which was not asked for: turn it off at the server`,
  );
}

async function* unzipped(answer: Exchange): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip();
  const feed = (async () => {
    for await (const chunk of bodyOf(answer)) {
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
    throw new Failure('encoding', `${show(answer.url)} sent broken gzip: look at the server`);
  } finally {
    gunzip.destroy();
    answer.body.destroy();
  }
}

/** Waits until the stream takes more, or is gone. */
function drained(stream: Gunzip): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      stream.off('drain', done).off('close', done);
      resolve();
    };
    stream.on('drain', done).on('close', done);
  });
}

async function* resuming(answer: Exchange, options: Options): AsyncGenerator<Uint8Array> {
  const { etag, 'content-length': length, 'accept-ranges': ranges } = answer.headers;
  const strong =
    etag?.startsWith('"') && ranges === 'bytes' && length !== undefined ? etag : undefined;
  let received = 0;
  let current = answer;
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
      current = await rest(answer.url, strong, received, options, error);
    }
  }
}

/** The bytes from `offset` on, of the same entity (RFC 9110 §14.4, If-Range). */
async function rest(url: URL, etag: string, offset: number, options: Options, cause: Failure) {
  const answer = await exchange(url.href, {
    ...options,
    headers: { 'accept-encoding': 'identity', range: `bytes=${offset}-`, 'if-range': etag },
  });
  const right = answer.headers['content-range']?.startsWith(`bytes ${offset}-`);
  if (answer.status === 206 && right) return answer;
  answer.body.destroy();
  throw cause;
}
