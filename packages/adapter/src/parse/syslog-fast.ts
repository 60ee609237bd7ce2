import { utc } from './calendar.ts';
import type { FastParser } from './fast.ts';
import {
  BACKSLASH,
  bytesOf,
  CLOSE_LIST,
  COLON,
  COMMA,
  copy,
  isDigit,
  MINUS,
  OPEN,
  OPEN_LIST,
  PLAIN,
  QUOTE,
  SPACE,
} from './json-bytes.ts';
import { BSD_TIME, KnownTime } from './known-time.ts';
import { FACILITIES, SEVERITIES } from './syslog.ts';
import { type TimeZone, UTC } from './time-zone.ts';

/** All fields that a plain message can have. */
export const SYSLOG_FIELDS: readonly string[] = [
  ...['time', 'facility', 'severity', 'hostname', 'app_name', 'proc_id', 'msg_id'],
  'message',
];

/** Longer lines go to the other parser: each of their bytes may become two. */
const LONGEST = 8 * 1024;
/** The largest size of the names, quotes and words around a message's own bytes. */
const AROUND = 320;

const TIME = bytesOf('"time":');
const HOST = bytesOf('"hostname":');
const APP = bytesOf('"app_name":');
const PROCESS = bytesOf('"proc_id":');
const ID = bytesOf('"msg_id":');
const MESSAGE = bytesOf('"message":"');

/** The names and the longest values of the words between the time and the data (RFC 5424 §6). */
const WORDS = [
  { name: HOST, longest: 255 },
  { name: APP, longest: 48 },
  { name: PROCESS, longest: 128 },
  { name: ID, longest: 32 },
] as const;

const LESS = 0x3c;
const GREATER = 0x3e;
const TAB = 0x09;
const ONE = 0x31;
const A = 0x41;
const Z = 0x5a;
const PLUS = 0x2b;
/** The length of the longest name of a zone. */
const LONGEST_ZONE = 4;
/** The most digits of the time of arrival before a received message. */
const STAMP_DIGITS = 16;

/** The letters of a spool's escapes that JSON writes in the same way. */
const SAME_ESCAPE = new Uint8Array(256);
for (const letter of 'nr\\') SAME_ESCAPE[letter.charCodeAt(0)] = 1;

/**
 * Syslog from bytes to JSON bytes, without a string or an object a message, except for its time. It
 * takes plain messages of RFC 5424 without structured data, and of RFC 3164; all others go to the
 * parser that makes records in `syslog.ts`. A differential test keeps the two equal.
 */
export class FastSyslog implements FastParser {
  readonly overhead: number = LONGEST + AROUND;
  readonly #isSpool: boolean;
  readonly #zone: TimeZone;
  readonly #time = new KnownTime();
  /** The members of each priority, with the brace before them; made only where syslog is read. */
  readonly #priorities: readonly Uint8Array[] = Array.from({ length: 192 }, (_, value) =>
    bytesOf(`{"facility":"${FACILITIES[value >> 3]}","severity":"${SEVERITIES[value & 7]}"`),
  );
  #hasTime = false;
  #out: Buffer = Buffer.alloc(0);
  #at = 0;

  /**
   * @param isSpool whether lines are those of a spool: the time of arrival, and escapes.
   * @param zone the zone of times without one.
   */
  constructor(isSpool: boolean, zone: TimeZone = UTC) {
    this.#isSpool = isSpool;
    this.#zone = zone;
  }

  write(input: Buffer, start: number, end: number, out: Buffer, at: number): number {
    if (end - start > LONGEST) return -1;
    this.#out = out;
    this.#at = at;
    let i = start;
    if (this.#isSpool) {
      while (i < end && isDigit(input[i]!)) i++;
      const digits = i - start;
      if (digits === 0 || digits > STAMP_DIGITS || input[i] !== SPACE) return -1;
      i++;
    }
    const stampEnd = i - 1;
    const header = this.#priority(input, i, end);
    if (header === -1) return -1;
    const isNew = header > i && input[header] === ONE && input[header + 1] === SPACE;
    const message = isNew
      ? this.#rfc5424(input, header + 2, end)
      : this.#rfc3164(input, header, end);
    if (message === -1 || !this.#message(input, message, end, isNew)) return -1;
    if (!isNew || this.#hasTime || !this.#isSpool) return this.#at;
    return this.#arrival(input, start, stampEnd) ? this.#at : -1;
  }

  /** Writes the brace, and the members of a priority if there is one; returns the position after it. */
  #priority(input: Buffer, at: number, end: number): number {
    if (input[at] !== LESS) {
      this.#out[this.#at++] = OPEN;
      return at;
    }
    let value = 0;
    let i = at + 1;
    for (; i < end && i < at + 4 && isDigit(input[i]!); i++) value = value * 10 + input[i]! - 0x30;
    if (i === at + 1 || i >= end || input[i] !== GREATER || value > 191) return -1;
    const members = this.#priorities[value]!;
    this.#at = copy(members, 0, members.length, this.#out, this.#at);
    return i + 1;
  }

  /** Reads from the time on; returns where the message begins, or -1. */
  #rfc5424(input: Buffer, from: number, end: number): number {
    let i = from;
    this.#hasTime = input[i] !== MINUS || input[i + 1] !== SPACE;
    if (this.#hasTime) {
      i = wordEnd(input, from, end);
      // Others are times in another form, or none.
      if (i - from < 19 || i - from > 40) return -1;
      if (this.#time.isUsual(input, from, i)) this.#member(TIME, input, from, i);
      else {
        const time = this.#time.iso(input, from, i, this.#zone);
        if (time === undefined) return -1;
        this.#member(TIME, time, 0, time.length);
      }
    } else i++;
    for (const { name, longest } of WORDS) {
      if (input[i] !== SPACE) return -1;
      const word = i + 1;
      i = wordEnd(input, word, end);
      if (i === word || i - word > longest) return -1;
      if (i - word > 1 || input[word] !== MINUS) this.#member(name, input, word, i);
    }
    // Without structured data.
    if (input[i] !== SPACE || input[i + 1] !== MINUS || i + 1 >= end) return -1;
    i += 2;
    return i < end && input[i] === SPACE ? i + 1 : i;
  }

  /** Reads from the time on; returns where the message begins, or -1. */
  #rfc3164(input: Buffer, from: number, end: number): number {
    let i = from + BSD_TIME;
    if (i >= end || input[i] !== SPACE) return -1;
    const time = this.#time.bsd(input, from, this.#zone);
    if (time === undefined) return -1;
    this.#member(TIME, time, 0, time.length);
    i++;
    // If a tag follows immediately, there is no host name.
    const message = this.#tag(input, i, end);
    if (message !== -1) return message;
    const host = i;
    i = tagEnd(input, host, end);
    if (i === host || i - host > 255 || input[i] !== SPACE || i >= end) return -1;
    // It could be the year or a zone.
    if (i - host === 4 && isDigit(input[host]!)) return -1;
    if (input[host] === PLUS || input[host] === MINUS) return -1;
    if (i - host <= LONGEST_ZONE && isCapital(input[host]!)) return -1;
    this.#member(HOST, input, host, i);
    return this.#tag(input, i + 1, end);
  }

  /** Reads `name: ` or `name[id]: ` and writes its members; returns the position after it, or -1. */
  #tag(input: Buffer, at: number, end: number): number {
    const nameEnd = tagEnd(input, at, end);
    if (nameEnd === at || nameEnd - at > 64) return -1;
    let i = nameEnd;
    let id = -1;
    if (input[i] === OPEN_LIST && i < end) {
      id = i + 1;
      i = tagEnd(input, id, end);
      if (i === id || i - id > 64 || input[i] !== CLOSE_LIST) return -1;
      i++;
    }
    if (i + 1 >= end || input[i] !== COLON || input[i + 1] !== SPACE) return -1;
    this.#member(APP, input, at, nameEnd);
    if (id !== -1) this.#member(PROCESS, input, id, i - 1);
    return i + 2;
  }

  /** Writes the message, if it has one or must have one; returns false for bytes that are not plain. */
  #message(input: Buffer, from: number, end: number, isOptional: boolean): boolean {
    if (from >= end && isOptional) return true;
    // It could begin with a byte order mark.
    if (isOptional && input[from]! >= 0x80) return false;
    const out = this.#out;
    this.#lead(MESSAGE);
    let o = this.#at;
    for (let i = from; i < end; i++) {
      const byte = input[i]!;
      if (PLAIN[byte] === 1) {
        out[o++] = byte;
        continue;
      }
      if (byte === QUOTE) out[o++] = BACKSLASH;
      else if (byte === TAB) {
        out[o++] = BACKSLASH;
        out[o++] = 0x74;
        continue;
      } else if (byte !== BACKSLASH) return false;
      else if (!this.#isSpool) out[o++] = BACKSLASH;
      else {
        i++;
        if (i >= end || SAME_ESCAPE[input[i]!] !== 1) return false;
        out[o++] = BACKSLASH;
        out[o++] = input[i]!;
        continue;
      }
      out[o++] = byte;
    }
    out[o++] = QUOTE;
    this.#at = o;
    return true;
  }

  /** Writes the time of arrival, in milliseconds since the epoch, as that of the message. */
  #arrival(input: Buffer, from: number, to: number): boolean {
    let at = 0;
    for (let k = from; k < to; k++) at = at * 10 + input[k]! - 0x30;
    const time = utc(Math.floor(at / 1000) * 1000, String(at % 1000).padStart(3, '0'));
    if (time === undefined) return false;
    this.#member(TIME, bytesOf(time), 0, time.length);
    return true;
  }

  /** Writes a member whose value is in `input[from, to)`. */
  #member(name: Uint8Array, input: Uint8Array, from: number, to: number): void {
    this.#lead(name);
    const out = this.#out;
    out[this.#at++] = QUOTE;
    this.#at = copy(input, from, to, out, this.#at);
    out[this.#at++] = QUOTE;
  }

  #lead(name: Uint8Array): void {
    const out = this.#out;
    if (out[this.#at - 1] !== OPEN) out[this.#at++] = COMMA;
    this.#at = copy(name, 0, name.length, out, this.#at);
  }
}

/** Returns the position after the plain ASCII from `at` on. */
function wordEnd(input: Uint8Array, at: number, end: number): number {
  let i = at;
  while (i < end && isWord(input[i]!)) i++;
  return i;
}

function isCapital(byte: number): boolean {
  return byte >= A && byte <= Z;
}

function isWord(byte: number): boolean {
  return byte > SPACE && byte < 0x80 && PLAIN[byte] === 1;
}

/** Returns the position after the plain ASCII other than `:`, `[` and `]` from `at` on. */
function tagEnd(input: Uint8Array, at: number, end: number): number {
  let i = at;
  for (; i < end; i++) {
    const byte = input[i]!;
    if (!isWord(byte) || byte === COLON || byte === OPEN_LIST || byte === CLOSE_LIST) break;
  }
  return i;
}
