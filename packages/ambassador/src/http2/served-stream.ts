import type { ServerHttp2Stream } from 'node:http2';

/** Receives the events of a stream of a client. */
export interface StreamServer {
  /** A piece of the request's body has arrived. */
  onData(chunk: Buffer): void;
  /** @param raw names and values in turn. */
  onTrailers(raw: readonly string[]): void;
  /** The request has arrived completely. */
  onEnd(): void;
  /** node:http2 asks for the trailers of the response. */
  onTrailersWanted(): void;
  /** The client has reset the stream. */
  onAborted(): void;
  onClose(): void;
}

/** Names the server of a stream, so that all streams share their listeners. */
const SERVER = Symbol('server');

/** A stream that a `StreamServer` serves. */
export interface ServedStream extends ServerHttp2Stream {
  [SERVER]?: StreamServer | undefined;
}

/** Reports the end of a stream to `server`. */
export function serveStream(stream: ServedStream, server: StreamServer): void {
  stream[SERVER] = server;
  stream.on('error', ignore);
  stream.on('close', closed);
}

/** Reports a reset too. */
export function watchReset(stream: ServedStream): void {
  stream.on('aborted', aborted);
}

/** Reports the body too. */
export function readStream(stream: ServedStream): void {
  stream.on('data', dataRead);
  stream.on('trailers', trailersRead);
  stream.on('end', ended);
}

/** Reports too when trailers are to be sent. */
export function offerTrailers(stream: ServedStream): void {
  stream.on('wantTrailers', trailersWanted);
}

function ignore(): void {}

function closed(this: ServedStream): void {
  this[SERVER]?.onClose();
  // Whoever still holds the stream does not hold the request.
  this[SERVER] = undefined;
}

function aborted(this: ServedStream): void {
  this[SERVER]?.onAborted();
}

function trailersWanted(this: ServedStream): void {
  this[SERVER]?.onTrailersWanted();
}

function dataRead(this: ServedStream, chunk: Buffer): void {
  this[SERVER]?.onData(chunk);
}

function trailersRead(this: ServedStream, _fields: unknown, _flags: number, raw: string[]): void {
  this[SERVER]?.onTrailers(raw);
}

function ended(this: ServedStream): void {
  this[SERVER]?.onEnd();
}
