import { createHash, type Hash } from 'node:crypto';
import { sha256 } from '@noble/hashes/sha2.js';

/**
 * Content up to this size, in bytes, is hashed in JavaScript: to load OpenSSL takes 5 MiB of
 * memory, which most sidecars would need for a few small files only. Beyond it, OpenSSL is ten
 * times as fast.
 */
const SMALL = 64 * 1024;

/** Whether OpenSSL is loaded: then it hashes small content, too. */
let loaded = false;

/** SHA-256 (FIPS 180-4) of content that comes in chunks. */
export class Sha256 {
  #small: Buffer[] = [];
  #size = 0;
  #hash: Hash | undefined;

  /** Adds bytes, or a text as UTF-8 or in another encoding. The bytes may be used again. */
  update(chunk: Uint8Array | string, encoding: BufferEncoding = 'utf8'): this {
    this.#size += chunk.length;
    if (this.#hash === undefined && (loaded || this.#size > SMALL)) {
      this.#hash = createHash('sha256');
      loaded = true;
      for (const one of this.#small) this.#hash.update(one);
      this.#small = [];
    }
    if (this.#hash === undefined) {
      this.#small.push(
        typeof chunk === 'string' ? Buffer.from(chunk, encoding) : Buffer.from(chunk),
      );
    } else if (typeof chunk === 'string') this.#hash.update(chunk, encoding);
    else this.#hash.update(chunk);
    return this;
  }

  /** Returns the hash in hexadecimal. Call it once, at the end. */
  digest(): string {
    if (this.#hash) return this.#hash.digest('hex');
    return Buffer.from(sha256(Buffer.concat(this.#small))).toString('hex');
  }
}
