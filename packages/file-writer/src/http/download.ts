import { Failure } from '../failure.ts';
import type { DownloadOptions, Validators } from './download-options.ts';
import { bodyOf, type Exchange, exchange, isSameServer } from './exchange.ts';
import { resuming } from './resume.ts';
import { show } from './show.ts';
import { statusFailure } from './status.ts';
import { unzipped } from './unzip.ts';

export interface Download {
  readonly chunks: AsyncIterable<Uint8Array>;
  readonly validators: Validators;
  cancel(): void;
}

/**
 * Downloads a URL: undefined if it has not changed (304). An interrupted body is resumed with range
 * requests if the server sent a validator and accepts ranges.
 * @throws {Failure}
 */
export async function download(
  url: string,
  options: DownloadOptions,
): Promise<Download | undefined> {
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
  if (response.status === 304 && (validators?.etag ?? validators?.lastModified)) {
    response.body.resume();
    return undefined;
  }
  if (response.status !== 200) {
    response.body.destroy();
    throw statusFailure(response, '--bearer-token-file or --header');
  }
  const same = isSameServer(new URL(url), response.url);
  return {
    chunks: decoded(response, same ? options : { ...options, credentials: undefined }),
    validators: { etag: response.headers.etag, lastModified: response.headers['last-modified'] },
    cancel: () => void response.body.destroy(),
  };
}

/**
 * With any coding but chunks alone, a body may end with the connection, or be compressed (RFC 9112
 * §6.1, §6.3); none was requested.
 */
function refuseTransferCodings({ headers, body, url }: Exchange): void {
  const codings = headers['transfer-encoding'];
  if (codings === undefined || codings.trim().toLowerCase() === 'chunked') return;
  body.destroy();
  throw new Failure(
    'encoding',
    `${show(url)} answered with the transfer coding ${codings}, which was not requested: turn it off at the server`,
  );
}

function decoded(response: Exchange, options: DownloadOptions): AsyncIterable<Uint8Array> {
  const { 'content-encoding': header, 'content-length': length } = response.headers;
  const encoding = header?.trim().toLowerCase() || 'identity';
  refuseTransferCodings(response);
  const chunked = response.headers['transfer-encoding'] !== undefined;
  if (length === undefined && !chunked && !options.pinned) {
    // Without either the body ends with the connection (RFC 9112 §6.3), as a cut one does too.
    response.body.destroy();
    throw new Failure(
      'cut',
      `${show(response.url)} sends neither a length nor chunks, so that nobody can tell a complete response from a cut one: turn on one of them at the server, or pin the content with --sha256`,
    );
  }
  if (encoding === 'identity') return resuming(response, options);
  if (encoding === 'gzip' || encoding === 'x-gzip') return unzipped(bodyOf(response), response.url);
  response.body.destroy();
  throw new Failure(
    'encoding',
    `${show(response.url)} answered with the content encoding ${encoding}, which was not requested: turn it off at the server`,
  );
}
