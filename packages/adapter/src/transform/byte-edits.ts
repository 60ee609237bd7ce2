import {
  bytesOf,
  CLOSE,
  CLOSE_LIST,
  COLON,
  COMMA,
  copy,
  copyLong,
  OPEN,
  OPEN_LIST,
  QUOTE,
  stringEnd,
} from '../parse/json-bytes.ts';
import { type MemberEdits, REDACTED } from '../parse/member-edits.ts';

/** A field name and what is done to it. */
interface Name {
  readonly bytes: Uint8Array;
  /** Its index among the renamed members; -1 if it keeps its name. */
  readonly rename: number;
  readonly drop: boolean;
  readonly redact: boolean;
}

/** Lines with more values to redact are converted through a record. */
const MOST_REDACTED = 64;

/** Longer names are not told apart by their lengths. */
const LONGEST = 64;

const PUT = bytesOf(JSON.stringify(REDACTED));

/**
 * Renames, drops and redacts members of one record in JSON as `JSON.stringify` writes it, whose
 * names hold no escapes: what `transformer` does to a record, in one pass over its bytes.
 */
export class ByteEdits {
  /** The most bytes that a record grows by. */
  readonly overhead: number;
  readonly #names: readonly Name[];
  /** 1 for the lengths of the names, since most keys have another. */
  readonly #hasLength = new Uint8Array(LONGEST + 1);
  /** The new names, as JSON, each with its colon. */
  readonly #renamed: readonly Uint8Array[];
  /** Positions of the values of renamed members; an end of 0 means that there is none. */
  readonly #valueAt: Uint32Array;
  readonly #valueEnd: Uint32Array;
  readonly #redacts: boolean;

  constructor({ rename, drop, redactFields }: MemberEdits) {
    const from = Object.keys(rename);
    this.#names = [...new Set([...from, ...drop, ...redactFields])].map((name) => ({
      bytes: bytesOf(name),
      rename: from.indexOf(name),
      drop: drop.includes(name),
      redact: redactFields.includes(name),
    }));
    for (const { bytes } of this.#names) this.#hasLength[Math.min(bytes.length, LONGEST)] = 1;
    this.#renamed = Object.values(rename).map((name) => bytesOf(`${JSON.stringify(name)}:`));
    this.#valueAt = new Uint32Array(from.length);
    this.#valueEnd = new Uint32Array(from.length);
    this.#redacts = redactFields.length > 0;
    let overhead = MOST_REDACTED * PUT.length;
    for (const { length } of this.#renamed) overhead += length + 1;
    this.overhead = overhead;
  }

  /**
   * Copies and edits the record in `input[0, end)`, which lacks its closing brace.
   * @returns the position after it in `out`, or -1 if nothing is left or there is too much to do.
   */
  apply(input: Buffer, end: number, out: Buffer, at: number): number {
    this.#valueEnd.fill(0);
    let o = at;
    let copied = 0;
    let redacted = 0;
    let depth = 0;
    for (let i = 0; i < end; ) {
      const byte = input[i]!;
      if (byte !== QUOTE) {
        if (byte === OPEN || byte === OPEN_LIST) depth++;
        else if (byte === CLOSE || byte === CLOSE_LIST) depth--;
        i++;
        continue;
      }
      const key = i;
      i = stringEnd(input, i + 1);
      if (input[i] !== COLON || i >= end) continue;
      const name = this.#nameAt(input, key + 1, i - 1);
      i++;
      if (name === undefined || (depth > 1 && !name.redact)) continue;
      const value = i;
      i = valueEnd(input, i, end);
      const leaves = depth === 1 && (name.drop || name.rename !== -1);
      if (!leaves) {
        if (++redacted > MOST_REDACTED) return -1;
        o = copy(PUT, 0, PUT.length, out, copyLong(input, copied, value, out, o));
        copied = i;
        continue;
      }
      if (name.rename !== -1) {
        // Values inside would have to be redacted as well.
        if (this.#redacts && (input[value] === OPEN || input[value] === OPEN_LIST)) return -1;
        this.#valueAt[name.rename] = value;
        this.#valueEnd[name.rename] = i;
      }
      o = copyLong(input, copied, key, out, o);
      if (input[i] === COMMA && i < end) i++;
      copied = i;
    }
    o = copyLong(input, copied, end, out, o);
    // Removing the last member left the comma before it.
    if (out[o - 1] === COMMA) o--;
    o = this.#append(input, out, o, at + 1);
    return o === at + 1 ? -1 : o;
  }

  /** Writes the renamed members, in the order in which they are renamed. */
  #append(input: Buffer, out: Buffer, at: number, first: number): number {
    let o = at;
    for (let k = 0; k < this.#renamed.length; k++) {
      const to = this.#valueEnd[k]!;
      if (to === 0) continue;
      const name = this.#renamed[k]!;
      if (o > first) out[o++] = COMMA;
      o = copy(input, this.#valueAt[k]!, to, out, copy(name, 0, name.length, out, o));
    }
    return o;
  }

  #nameAt(input: Buffer, from: number, to: number): Name | undefined {
    if (this.#hasLength[Math.min(to - from, LONGEST)] === 0) return undefined;
    for (const name of this.#names) {
      const { bytes } = name;
      if (bytes.length !== to - from) continue;
      let k = 0;
      while (k < bytes.length && bytes[k] === input[from + k]) k++;
      if (k === bytes.length) return name;
    }
    return undefined;
  }
}

/** Returns the position after a value: the comma or bracket that follows it, or the end. */
function valueEnd(input: Buffer, at: number, end: number): number {
  let depth = 0;
  for (let i = at; i < end; ) {
    const byte = input[i]!;
    if (byte === QUOTE) {
      i = stringEnd(input, i + 1);
      continue;
    }
    if (byte === OPEN || byte === OPEN_LIST) depth++;
    else if (byte === CLOSE || byte === CLOSE_LIST) {
      if (depth === 0) return i;
      depth--;
    } else if (byte === COMMA && depth === 0) return i;
    i++;
  }
  return end;
}
