import type { ExchangeOptions } from './exchange.ts';

/** The validators that make the next request conditional (RFC 9110 §8.8). */
export interface Validators {
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
}

export type DownloadOptions = Pick<
  ExchangeOptions,
  'credentials' | 'idleTimeout' | 'signal' | 'caFile'
> & {
  /** The validators of the published content; without them the request is unconditional. */
  readonly validators?: Validators | undefined;
  /** Whether a checksum is pinned: then the end of the connection may be the end of the content. */
  readonly pinned?: boolean;
};
