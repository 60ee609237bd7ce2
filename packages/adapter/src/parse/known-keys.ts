import { bytesOf, COLON, isDigit, PLAIN, QUOTE } from './json-bytes.ts';

/** Lines with more keys, or more bytes of them, are left to the other parser. */
const MOST_KEYS = 256;
const MOST_BYTES = 16 * 1024;

/** FNV-1a in 32 bits; names with equal hashes are compared. */
const SEED = 0x811c9dc5 | 0;
const PRIME = 0x01000193;

interface Name {
  readonly hash: number;
  readonly bytes: Uint8Array;
  readonly meaning: number;
}

/** Names of keys, and what each means: a number from 0 on, or `RESERVED_KEY`. */
export type Meanings = readonly (readonly [name: string, meaning: number])[];

/** The meaning of a key without one. */
export const PLAIN_KEY = -1;
/** The meaning of a key whose line is left to the other parser. */
export const RESERVED_KEY = -2;

/**
 * Reads the keys of JSON lines. Those of the line before are remembered, in their order: as far as
 * a line has the same ones in the same objects, no two are alike, and their meaning is known.
 */
export class KnownKeys {
  /** The meaning of the last key. */
  meaning: number = PLAIN_KEY;
  readonly #top: readonly Name[];
  readonly #deep: readonly Name[];
  /** All remembered keys, each with its quotes and colon. */
  readonly #bytes = new Uint8Array(MOST_BYTES);
  /** The place of each key in `bytes`; the entry after the last says where that ends. */
  readonly #starts = new Uint32Array(MOST_KEYS + 1);
  /** The index of the first key of the same object, which identifies the object. */
  readonly #objects = new Uint32Array(MOST_KEYS);
  readonly #hashes = new Int32Array(MOST_KEYS);
  readonly #meanings = new Int32Array(MOST_KEYS);
  #known = 0;
  #next = 0;

  /**
   * @param top what keys of the line's own object mean; the first one of a name counts.
   * @param deep what keys of objects in it mean.
   */
  constructor(top: Meanings, deep: Meanings) {
    this.#top = top.map(nameOf);
    this.#deep = deep.map(nameOf);
  }

  /** Starts a line. */
  begin(): void {
    this.#next = 0;
  }

  /** The index of the next key of the line, which identifies the object that it is the first of. */
  get next(): number {
    return this.#next;
  }

  /** Reads a key of an object from its quote on; returns the position after its colon, or -1. */
  read(input: Buffer, at: number, object: number): number {
    const next = this.#next;
    if (next < this.#known && this.#objects[next] === object) {
      const bytes = this.#bytes;
      const end = this.#starts[next + 1]!;
      let i = at;
      let k = this.#starts[next]!;
      while (k < end && bytes[k] === input[i]) {
        k++;
        i++;
      }
      if (k === end) {
        this.#next = next + 1;
        this.meaning = this.#meanings[next]!;
        return i;
      }
    }
    return this.#learn(input, at, object);
  }

  /** Reads a key that is not the remembered one, and remembers it instead. */
  #learn(input: Buffer, at: number, object: number): number {
    const next = this.#next;
    this.#known = next;
    if (next === MOST_KEYS || input[at] !== QUOTE) return -1;
    let i = at + 1;
    // Objects list names that are numbers first.
    if (isDigit(input[i]!)) return -1;
    let hash = SEED;
    for (let byte = input[i]!; PLAIN[byte] === 1; byte = input[++i]!) {
      hash = Math.imul(hash ^ byte, PRIME);
    }
    if (input[i] !== QUOTE || input[i + 1] !== COLON) return -1;
    for (let k = object; k < next; k++) {
      if (this.#hashes[k] === hash && this.#objects[k] === object) return -1;
    }
    const meaning = meaningOf(object === 0 ? this.#top : this.#deep, hash, input, at + 1, i);
    const start = this.#starts[next]!;
    const end = start + i + 2 - at;
    if (meaning === RESERVED_KEY || end > MOST_BYTES) return -1;
    input.copy(this.#bytes, start, at, i + 2);
    this.#starts[next + 1] = end;
    this.#objects[next] = object;
    this.#hashes[next] = hash;
    this.#meanings[next] = meaning;
    this.#known = next + 1;
    this.#next = next + 1;
    this.meaning = meaning;
    return i + 2;
  }
}

function nameOf([name, meaning]: Meanings[number]): Name {
  const bytes = bytesOf(name);
  let hash = SEED;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, PRIME);
  return { hash, bytes, meaning };
}

function meaningOf(
  names: readonly Name[],
  hash: number,
  input: Buffer,
  from: number,
  to: number,
): number {
  for (const { hash: own, bytes, meaning } of names) {
    if (own !== hash || bytes.length !== to - from) continue;
    let k = 0;
    while (k < bytes.length && bytes[k] === input[from + k]) k++;
    if (k === bytes.length) return meaning;
  }
  return PLAIN_KEY;
}
