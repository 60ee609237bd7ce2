import type { ClientHttp2Stream } from 'node:http2';
import { FLAG_END_STREAM } from './error-codes.ts';

/** Receives the events of a stream to an upstream; `raw` has names and values in turn. */
export interface StreamRequester {
  onInformational(raw: readonly string[]): void;
  /** @param ended whether no body follows. */
  onHead(raw: readonly string[], ended: boolean): void;
  onTrailers(raw: readonly string[]): void;
  /** node:http2 asks for the trailers of the request. */
  onTrailersWanted(): void;
  onData(chunk: Buffer): void;
  onEnd(): void;
  onError(error: Error): void;
  onClose(): void;
}

/** Names the requester of a stream, so that all streams share their listeners. */
const REQUESTER = Symbol('requester');

/** A stream that carries the request of a `StreamRequester`. */
export interface RequestedStream extends ClientHttp2Stream {
  [REQUESTER]?: StreamRequester | undefined;
}

/** Reports the events of a stream to `requester`. @param trailers whether the request may have any. */
export function observeStream(
  stream: RequestedStream,
  requester: StreamRequester,
  trailers: boolean,
): void {
  stream[REQUESTER] = requester;
  stream.on('headers', informed);
  stream.on('response', responded);
  stream.on('trailers', trailersRead);
  if (trailers) stream.on('wantTrailers', trailersWanted);
  stream.on('data', dataRead);
  stream.on('end', ended);
  stream.on('error', failed);
  stream.on('close', closed);
}

function informed(this: RequestedStream, _fields: unknown, _flags: number, raw: unknown): void {
  this[REQUESTER]?.onInformational(raw as string[]);
}

function responded(this: RequestedStream, _fields: unknown, flags: number, raw: unknown): void {
  this[REQUESTER]?.onHead(raw as string[], (flags & FLAG_END_STREAM) !== 0);
}

function trailersRead(this: RequestedStream, _fields: unknown, _flags: number, raw: unknown): void {
  this[REQUESTER]?.onTrailers(raw as string[]);
}

function trailersWanted(this: RequestedStream): void {
  this[REQUESTER]?.onTrailersWanted();
}

function dataRead(this: RequestedStream, chunk: Buffer): void {
  this[REQUESTER]?.onData(chunk);
}

function ended(this: RequestedStream): void {
  this[REQUESTER]?.onEnd();
}

function failed(this: RequestedStream, error: Error): void {
  this[REQUESTER]?.onError(error);
}

function closed(this: RequestedStream): void {
  this[REQUESTER]?.onClose();
  // Whoever still holds the stream does not hold what it carried.
  this[REQUESTER] = undefined;
}
