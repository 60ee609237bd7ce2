import type { IncomingMessage } from 'node:http';
import { PassThrough, type Transform } from 'node:stream';
import { createGunzip, createInflate } from 'node:zlib';
import { formatSize, Gathered } from '@sidekit/core';

/** A request body in memory, counted until it is released. */
export interface Body {
  readonly bytes: Buffer;
  release(): void;
}

/** Refuses a request: the status, the sentence and headers of the response. */
export class Refusal extends Error {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, text: string, headers: Readonly<Record<string, string>> = {}) {
    super(text);
    this.status = status;
    this.headers = headers;
  }
}

/** Decoders by Content-Encoding (RFC 9110 §8.4.1); each needs at most 32 KiB of history. */
const DECODERS: Readonly<Record<string, () => Transform>> = {
  identity: () => new PassThrough(),
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
};

/** Reads request bodies, each of a limited size, all within one budget of memory. */
export class BodyReader {
  readonly #limit: number;
  readonly #budget: number;
  #used = 0;

  /** `limit` is for one body, decoded; `budget` for all that are in memory; both in bytes. */
  constructor(limit: number, budget: number) {
    this.#limit = limit;
    this.#budget = budget;
  }

  /** Reads and decodes a body. @throws {Refusal} 400, 413, 415 or 503. */
  async read(request: IncomingMessage): Promise<Body> {
    const encoding = (request.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
    const decode = Object.hasOwn(DECODERS, encoding) ? DECODERS[encoding] : undefined;
    if (!decode) {
      throw new Refusal(415, `the Content-Encoding ${encoding} is not known: use gzip or deflate`, {
        'accept-encoding': 'gzip, deflate',
      });
    }
    const gathered = new Gathered();
    let released = false;
    const release = () => {
      if (!released) this.#used -= gathered.length;
      released = true;
    };
    const decoded = decode();
    try {
      // Not pipeline(): it would destroy the socket, and the response with it.
      request.once('close', () => {
        if (!request.complete) decoded.destroy(new Error('the connection was closed'));
      });
      request.pipe(decoded);
      for await (const chunk of decoded) {
        gathered.add(chunk);
        this.#used += chunk.length;
        if (gathered.length > this.#limit) throw this.#tooLarge();
        if (this.#used > this.#budget) {
          throw new Refusal(503, 'too many records wait for the queue', { 'retry-after': '1' });
        }
      }
      if (gathered.length === 0)
        throw new Refusal(400, 'the body is empty: send records, one a line');
      return { bytes: gathered.bytes(), release };
    } catch (error) {
      release();
      request.unpipe(decoded);
      request.resume();
      if (error instanceof Refusal) throw error;
      throw new Refusal(400, `the body cannot be read: ${(error as Error).message}`);
    }
  }

  #tooLarge(): Refusal {
    return new Refusal(413, `the body is larger than ${formatSize(this.#limit)}`);
  }
}
