import type { FastParser, Sliceable } from './fast.ts';
import { bytesOf, COLON, PLAIN, QUOTE, SPACE } from './json-bytes.ts';
import { commonLogTime } from './time.ts';

/**
 * The common and combined formats from bytes to JSON bytes, without a string or an object a
 * line. It takes only plain lines (no escapes, no control characters, a request line of three
 * parts, a well-known method); all others go to the parser that makes records in `access.ts`. A
 * differential test keeps the two equal.
 */

export const METHODS: readonly string[] = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'CONNECT',
  'OPTIONS',
  'TRACE',
  'PATCH',
];

/** The fields that every plain line has. */
export const CERTAIN: readonly string[] = ['time', 'method', 'path', 'protocol', 'status'];
/** All fields that a plain line can have. */
export const POSSIBLE: readonly string[] = [
  ...CERTAIN,
  ...['remote_addr', 'remote_user', 'bytes', 'referer', 'user_agent'],
];

const METHOD_BYTES = METHODS.map(bytesOf);
const TIME = bytesOf('{"time":"');
const HOST = bytesOf('","remote_addr":"');
const USER = bytesOf('","remote_user":"');
const METHOD = bytesOf('","method":"');
const PATH = bytesOf('","path":"');
const PROTOCOL = bytesOf('","protocol":"');
const STATUS = bytesOf('","status":');
const BYTES = bytesOf(',"bytes":');
const REFERER = bytesOf(',"referer":"');
const AGENT = bytesOf('"user_agent":"');

const DASH = 0x2d;
const STAMP = 26;
/** The place of the minutes in a stamp. */
const MINUTES = 15;

/** Counts by method and status class, filled for each line and collected for each chunk. */
export class AccessCounts {
  /** `METHODS` × status classes 0 to 9. */
  readonly requests: Uint32Array = new Uint32Array(METHODS.length * 10);
  bytes = 0;

  reset(): void {
    this.requests.fill(0);
    this.bytes = 0;
  }
}

export class FastAccess implements FastParser {
  /** The largest size of the names, quotes and numbers around a line's own bytes. */
  readonly overhead = 256;
  readonly counts: AccessCounts = new AccessCounts();
  readonly #combined: boolean;
  readonly #stamp = new Uint8Array(STAMP);
  readonly #time = new Uint8Array(20);
  #wholeHours = false;

  constructor(format: 'common' | 'combined') {
    this.#combined = format === 'combined';
  }

  write(input: Uint8Array, start: number, end: number, out: Uint8Array, at: number): number {
    let i = start;
    // host ident user [time]
    while (i < end && input[i]! > SPACE && PLAIN[input[i]!] === 1 && input[i]! < 0x80) i++;
    const hostEnd = i;
    if (hostEnd === start || i + 4 >= end || input[i] !== SPACE) return -1;
    if (input[i + 1] !== DASH || input[i + 2] !== SPACE) return -1;
    const user = i + 3;
    i = user;
    while (i < end && input[i]! > SPACE && PLAIN[input[i]!] === 1 && input[i]! < 0x80) i++;
    const userEnd = i;
    // 0x5b is [, 0x5d is ].
    if (userEnd === user || i + STAMP + 6 > end) return -1;
    if (input[i] !== SPACE || input[i + 1] !== 0x5b) return -1;
    const stamp = i + 2;
    if (input[stamp + STAMP] !== 0x5d) return -1;
    i = stamp + STAMP + 1;
    if (input[i] !== SPACE || input[i + 1] !== QUOTE) return -1;
    if (!this.#knowTime(input, stamp)) return -1;

    let o = at;
    for (let k = 0; k < TIME.length; k++) out[o++] = TIME[k]!;
    const time = this.#time;
    for (let k = 0; k < 20; k++) out[o++] = time[k]!;
    if (hostEnd - start !== 1 || input[start] !== DASH) {
      for (let k = 0; k < HOST.length; k++) out[o++] = HOST[k]!;
      for (let k = start; k < hostEnd; k++) out[o++] = input[k]!;
    }
    if (userEnd - user !== 1 || input[user] !== DASH) {
      for (let k = user; k < userEnd; k++) if (input[k] === 0x5b) return -1;
      for (let k = 0; k < USER.length; k++) out[o++] = USER[k]!;
      for (let k = user; k < userEnd; k++) out[o++] = input[k]!;
    }

    // "METHOD path PROTOCOL"
    i += 2;
    const method = methodAt(input, i);
    if (method === -1) return -1;
    const name = METHOD_BYTES[method]!;
    for (let k = 0; k < METHOD.length; k++) out[o++] = METHOD[k]!;
    for (let k = 0; k < name.length; k++) out[o++] = name[k]!;
    i += name.length + 1;
    for (let k = 0; k < PATH.length; k++) out[o++] = PATH[k]!;
    const path = i;
    for (; i < end; i++) {
      const byte = input[i]!;
      // Bytes from 0x80 on could be a Unicode space, which the other parser handles.
      if (byte === SPACE || PLAIN[byte] === 0 || byte >= 0x80) break;
      out[o++] = byte;
    }
    if (i === path || input[i] !== SPACE) return -1;
    i++;
    // HTTP/1.0, HTTP/1.1, HTTP/2.0 or HTTP/3.0
    if (i + 14 > end) return -1;
    if (input[i] !== 0x48 || input[i + 1] !== 0x54 || input[i + 2] !== 0x54) return -1;
    if (input[i + 3] !== 0x50 || input[i + 4] !== 0x2f || !digit(input[i + 5]!)) return -1;
    if (input[i + 6] !== 0x2e || !digit(input[i + 7]!) || input[i + 8] !== QUOTE) return -1;
    for (let k = 0; k < PROTOCOL.length; k++) out[o++] = PROTOCOL[k]!;
    for (let k = 0; k < 8; k++) out[o++] = input[i + k]!;
    i += 9;

    // status and bytes
    const s0 = input[i + 1]!;
    const s1 = input[i + 2]!;
    const s2 = input[i + 3]!;
    if (input[i] !== SPACE || !digit(s0) || s0 === 0x30 || !digit(s1) || !digit(s2)) return -1;
    if (input[i + 4] !== SPACE) return -1;
    for (let k = 0; k < STATUS.length; k++) out[o++] = STATUS[k]!;
    out[o++] = s0;
    out[o++] = s1;
    out[o++] = s2;
    i += 5;
    let bytes = 0;
    if (input[i] === DASH) {
      i++;
    } else {
      const first = i;
      for (let k = 0; k < BYTES.length; k++) out[o++] = BYTES[k]!;
      for (; i < end && digit(input[i]!); i++) {
        bytes = bytes * 10 + input[i]! - 0x30;
        out[o++] = input[i]!;
      }
      // JSON has no leading zeros.
      if (i === first || i - first > 15 || (input[first] === 0x30 && i - first > 1)) return -1;
    }

    if (this.#combined) {
      // "referer" "user agent"
      if (i + 2 >= end || input[i] !== SPACE || input[i + 1] !== QUOTE) return -1;
      i += 2;
      if (input[i] === DASH && input[i + 1] === QUOTE) {
        i++;
      } else {
        for (let k = 0; k < REFERER.length; k++) out[o++] = REFERER[k]!;
        for (; i < end; i++) {
          const byte = input[i]!;
          if (PLAIN[byte] === 0) break;
          out[o++] = byte;
        }
        out[o++] = QUOTE;
      }
      if (i + 3 >= end || input[i] !== QUOTE) return -1;
      if (input[i + 1] !== SPACE || input[i + 2] !== QUOTE) return -1;
      i += 3;
      if (input[i] === DASH && input[i + 1] === QUOTE) {
        i++;
      } else {
        out[o++] = 0x2c;
        for (let k = 0; k < AGENT.length; k++) out[o++] = AGENT[k]!;
        for (; i < end; i++) {
          const byte = input[i]!;
          if (PLAIN[byte] === 0) break;
          out[o++] = byte;
        }
        out[o++] = QUOTE;
      }
      if (input[i] !== QUOTE) return -1;
      i++;
    }
    if (i !== end) return -1;
    this.counts.requests[method * 10 + s0 - 0x30]!++;
    this.counts.bytes += bytes;
    return o;
  }

  /** Formats the time at `at`, from as much of the line before as is the same. */
  #knowTime(input: Uint8Array, at: number): boolean {
    const stamp = this.#stamp;
    let k = STAMP - 1;
    // The digits that change most often are late: compare from there.
    while (k >= 0 && stamp[k] === input[at + k]) k--;
    if (k < 0) return true;
    // Only minutes and seconds differ, as far as 20 of 26 bytes, and the zone has whole hours.
    if (k >= MINUTES && k < MINUTES + 5 && this.#wholeHours) {
      let same = MINUTES - 1;
      while (same >= 0 && stamp[same] === input[at + same]) same--;
      if (same < 0 && this.#copyMinutes(input, at + MINUTES)) return true;
    }
    const text = (input as Sliceable).latin1Slice(at, at + STAMP);
    const time = commonLogTime(text);
    if (time === undefined || time.length !== 20) return false;
    for (let j = 0; j < STAMP; j++) stamp[j] = input[at + j]!;
    for (let j = 0; j < 20; j++) this.#time[j] = time.charCodeAt(j);
    this.#wholeHours = text.endsWith('00');
    return true;
  }

  /** Takes over `MM:SS` from the line, unless a part is out of its range. */
  #copyMinutes(input: Uint8Array, at: number): boolean {
    const valid =
      isBelow60(input[at]!, input[at + 1]!) &&
      input[at + 2] === COLON &&
      isBelow60(input[at + 3]!, input[at + 4]!);
    if (!valid) return false;
    for (let j = 0; j < 5; j++) {
      this.#stamp[MINUTES + j] = input[at + j]!;
      this.#time[14 + j] = input[at + j]!;
    }
    return true;
  }
}

function isBelow60(tens: number, ones: number): boolean {
  return tens >= 0x30 && tens <= 0x35 && digit(ones);
}

function digit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

/** Returns the index in `METHODS` of the word before a space at `at`, or -1. */
function methodAt(input: Uint8Array, at: number): number {
  for (let m = 0; m < METHOD_BYTES.length; m++) {
    const name = METHOD_BYTES[m]!;
    if (input[at] !== name[0]) continue;
    let k = 1;
    while (k < name.length && input[at + k] === name[k]) k++;
    if (k === name.length && input[at + k] === SPACE) return m;
  }
  return -1;
}
