import { DEEPEST } from './depth.ts';
import type { FastParser, Sliceable } from './fast.ts';
import {
  BACKSLASH,
  CLOSE,
  CLOSE_LIST,
  COLON,
  COMMA,
  compact,
  copy,
  isDigit,
  MINUS,
  numberEnd,
  OPEN,
  OPEN_LIST,
  PLAIN,
  QUOTE,
  quoted,
  SPACE,
  stringEnd,
  wordEnd,
} from './json-bytes.ts';
import { anyTime } from './time.ts';
import { type TimeZone, UTC } from './time-zone.ts';

/**
 * Converts JSON lines from bytes to bytes. Loggers usually write what
 * `JSON.stringify(JSON.parse(line))` returns, except for spaces after commas and colons; if that is
 * certain, the spaces are removed and only the time is rewritten. Certain means: no escapes but the
 * short ones, numbers in the form that JSON.stringify writes, no duplicate keys, none that starts
 * with a digit (objects list numbers first), and none of the record's key.
 */

/** So do lines with more keys: each key is compared with those of its object. */
const MOST_KEYS = 128;
const TIME = Uint8Array.from(Buffer.from('"time":'));

/** FNV-1a in 32 bits; names with equal hashes are compared. */
const SEED = 0x811c9dc5 | 0;
const PRIME = 0x01000193;

interface Name {
  readonly hash: number;
  readonly bytes: Uint8Array;
  /** Its index among the time fields; -1 for a reserved name. */
  readonly field: number;
}

export class FastJson implements FastParser {
  readonly overhead = 64;
  readonly #fields: readonly string[];
  readonly #zone: TimeZone;
  readonly #names: readonly Name[];
  /** The index of `time` among the fields. */
  readonly #time: number;
  /** For each open container: whether it is an object, and its first key. */
  readonly #isObject = new Uint8Array(DEEPEST + 1);
  readonly #firstKey = new Uint32Array(DEEPEST + 1);
  readonly #hashes = new Int32Array(MOST_KEYS);
  #keys = 0;
  /** True if there are spaces between the tokens of the line. */
  #spaced = false;
  /** The number of fields that may hold the time. */
  readonly #candidates: number;
  /** For each field, the start of its key and the start and end of its value; 0 if missing. */
  readonly #keyAt: Uint32Array;
  readonly #valueAt: Uint32Array;
  readonly #valueEnd: Uint32Array;

  /**
   * @param timeFields fields that may hold the time; the first that does counts.
   * @param reserved names of top-level members whose lines go to the other parser.
   * @param zone the zone of times without one.
   */
  constructor(timeFields: readonly string[], reserved: readonly string[], zone: TimeZone = UTC) {
    this.#zone = zone;
    this.#fields = timeFields.includes('time') ? timeFields : [...timeFields, 'time'];
    this.#time = this.#fields.indexOf('time');
    this.#candidates = timeFields.length;
    this.#names = [
      ...reserved.map((name) => nameOf(name, -1)),
      ...this.#fields.map((name, field) => nameOf(name, field)),
    ];
    this.#keyAt = new Uint32Array(this.#fields.length);
    this.#valueAt = new Uint32Array(this.#fields.length);
    this.#valueEnd = new Uint32Array(this.#fields.length);
  }

  write(input: Buffer, start: number, end: number, out: Buffer, at: number): number {
    if (end - start < 4 || input[start] !== OPEN) return -1;
    this.#keyAt.fill(0);
    if (!this.#scan(input, start, end)) return -1;
    for (let field = 0; field < this.#candidates; field++) {
      if (this.#keyAt[field] === 0) continue;
      if (field !== this.#time && this.#keyAt[this.#time] !== 0) continue;
      const time = timeIn(input, this.#valueAt[field]!, this.#valueEnd[field]!, this.#zone);
      if (time === null) return -1;
      if (time === undefined) continue;
      return field === this.#time
        ? this.#replaced(input, start, end, out, at, time)
        : this.#moved(input, start, end, out, at, field, time);
    }
    return this.#tokens(input, start, end - 1, out, at);
  }

  /** Copies a part of the line that starts outside a string. */
  #tokens(input: Buffer, from: number, to: number, out: Buffer, at: number): number {
    return this.#spaced ? compact(input, from, to, out, at) : copy(input, from, to, out, at);
  }

  /** Writes the line with a new value for its `time`. */
  #replaced(input: Buffer, start: number, end: number, out: Buffer, at: number, time: string) {
    const o = this.#tokens(input, start, this.#valueAt[this.#time]!, out, at);
    return this.#tokens(input, this.#valueEnd[this.#time]!, end - 1, out, quoted(time, out, o));
  }

  /** Writes the line without one member, and `time` at its end. */
  #moved(
    input: Buffer,
    start: number,
    end: number,
    out: Buffer,
    at: number,
    field: number,
    time: string,
  ): number {
    let from = this.#keyAt[field]!;
    let to = this.#valueEnd[field]!;
    // Remove one comma too: the one after it, or the one before it at the end.
    if (input[to] === COMMA) to++;
    else while (from > start + 1 && input[from] !== COMMA) from--;
    const before = this.#tokens(input, start, from, out, at);
    let o = this.#tokens(input, to, end - 1, out, before);
    if (o > at + 1) out[o++] = COMMA;
    o = copy(TIME, 0, TIME.length, out, o);
    return quoted(time, out, o);
  }

  /** Whether the line is one object in the form that JSON.stringify writes; records its fields. */
  #scan(input: Buffer, start: number, end: number): boolean {
    const isObject = this.#isObject;
    const firstKey = this.#firstKey;
    let depth = 1;
    isObject[1] = 1;
    firstKey[1] = 0;
    this.#keys = 0;
    this.#spaced = false;
    let i = start + 1;
    for (;;) {
      let field = -1;
      if (input[i] === SPACE) i = this.#behindSpaces(input, i);
      if (isObject[depth] === 1) {
        const name = i;
        i = this.#key(input, i, firstKey[depth]!);
        if (i === -1) return false;
        if (depth === 1) {
          field = this.#fieldAt(input, name + 1, i - 1);
          if (field === -2) return false;
          if (field !== -1) this.#keyAt[field] = name;
        }
        if (input[i] !== COLON) return false;
        i++;
        if (input[i] === SPACE) i = this.#behindSpaces(input, i);
        if (field !== -1) this.#valueAt[field] = i;
      }
      const first = input[i]!;
      if (first === QUOTE) {
        i = stringEnd(input, i + 1);
      } else if (first === OPEN || first === OPEN_LIST) {
        const close = first === OPEN ? CLOSE : CLOSE_LIST;
        i++;
        if (input[i] !== close) {
          if (++depth > DEEPEST) return false;
          isObject[depth] = first === OPEN ? 1 : 0;
          firstKey[depth] = this.#keys;
          // A container is not a time, for the other parser either.
          if (field !== -1) this.#valueEnd[field] = this.#valueAt[field]!;
          continue;
        }
        i++;
      } else {
        i = first === MINUS || isDigit(first) ? numberEnd(input, i) : wordEnd(input, i);
      }
      if (i === -1 || i >= end) return false;
      if (field !== -1) this.#valueEnd[field] = i;
      while (input[i] === (isObject[depth] === 1 ? CLOSE : CLOSE_LIST)) {
        // Keys of a closed object are not compared any more.
        if (isObject[depth] === 1) this.#keys = firstKey[depth]!;
        i++;
        depth--;
        if (depth === 0) return i === end;
      }
      if (input[i] !== COMMA) return false;
      i++;
    }
  }

  #behindSpaces(input: Buffer, at: number): number {
    this.#spaced = true;
    let i = at;
    while (input[i] === SPACE) i++;
    return i;
  }

  /** Reads a key from its quote on and returns the position after it, or -1. */
  #key(input: Buffer, at: number, first: number): number {
    if (input[at] !== QUOTE) return -1;
    let i = at + 1;
    if (isDigit(input[i]!)) return -1;
    let hash = SEED;
    for (let byte = input[i]!; PLAIN[byte] === 1; byte = input[++i]!) {
      hash = Math.imul(hash ^ byte, PRIME);
    }
    if (input[i] !== QUOTE) return -1;
    const hashes = this.#hashes;
    const keys = this.#keys;
    for (let k = first; k < keys; k++) if (hashes[k] === hash) return -1;
    if (keys === MOST_KEYS) return -1;
    hashes[keys] = hash;
    this.#keys = keys + 1;
    return i + 1;
  }

  /** Returns the field of the key just read: -1 for none, -2 for a reserved name. */
  #fieldAt(input: Buffer, from: number, to: number): number {
    const hash = this.#hashes[this.#keys - 1];
    for (const name of this.#names) {
      if (name.hash !== hash || name.bytes.length !== to - from) continue;
      let k = 0;
      while (k < name.bytes.length && name.bytes[k] === input[from + k]) k++;
      if (k === name.bytes.length) return name.field === -1 ? -2 : name.field;
    }
    return -1;
  }
}

function nameOf(name: string, field: number): Name {
  const bytes = Uint8Array.from(Buffer.from(name));
  let hash = SEED;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, PRIME);
  return { hash, bytes, field };
}

/**
 * Returns the time in a value as the parser that makes records reads it: undefined if it is none,
 * null if only that parser can decide.
 */
function timeIn(
  input: Buffer,
  from: number,
  to: number,
  zone: TimeZone,
): string | null | undefined {
  // A container is not a time.
  if (from === to) return undefined;
  if (input[from] !== QUOTE) {
    const number = Number((input as Sliceable).latin1Slice(from, to));
    return Number.isNaN(number) ? undefined : anyTime(number);
  }
  for (let k = from + 1; k < to; k++) {
    if (input[k]! >= 0x80 || input[k] === BACKSLASH) return null;
  }
  return anyTime((input as Sliceable).latin1Slice(from + 1, to - 1), zone);
}
