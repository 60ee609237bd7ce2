import { dateTime } from './calendar.ts';
import type { Sliceable } from './fast.ts';
import { bytesOf, isDigit, POINT, ZERO } from './json-bytes.ts';
import { anyTime, bsdTime, isoTime } from './time.ts';
import type { TimeZone } from './time-zone.ts';

/** The length of a time of RFC 3164. */
export const BSD_TIME = 15;

/** The length of `2026-11-21T05:05:`. */
const TO_MINUTE = 17;
/** The digits of seconds since the epoch, from 2001 to 2286, and of milliseconds. */
const SECONDS = 10;
const MILLISECONDS = 13;

const SIX = 0x36;
const Z = 0x5a;

/** Times as they were written last, since many lines have the same, or one of the same minute. */
export class KnownTime {
  /** The begin of a time that was in its final form already. */
  readonly #minute = new Uint8Array(TO_MINUTE);
  #stamp: Uint8Array = new Uint8Array(0);
  #time: Uint8Array | undefined;
  /** The second in which the time was read; a time without a year depends on it. */
  #second = 0;
  /** The minute of `ofEpoch`, since the epoch. */
  #minuteOfEpoch = -1;
  readonly #withSeconds = new Uint8Array(20);
  readonly #withMilliseconds = new Uint8Array(24);

  /** Whether a time is in its final form: UTC with up to nine decimals, in the minute that is known. */
  isUsual(input: Buffer, from: number, to: number): boolean {
    const decimals = to - from - TO_MINUTE - 4;
    if (decimals < -1 || decimals === 0 || decimals > 9 || input[to - 1] !== Z) return false;
    const minute = this.#minute;
    for (let k = TO_MINUTE - 1; k >= 0; k--) if (minute[k] !== input[from + k]) return false;
    const seconds = from + TO_MINUTE;
    if (!(input[seconds]! >= ZERO && input[seconds]! < SIX && isDigit(input[seconds + 1]!))) {
      return false;
    }
    if (decimals === -1) return true;
    if (input[seconds + 2] !== POINT) return false;
    for (let k = seconds + 3; k < to - 1; k++) if (!isDigit(input[k]!)) return false;
    return true;
  }

  /** Reads whole seconds or milliseconds since the epoch; undefined for numbers in another form. */
  ofEpoch(input: Buffer, from: number, to: number): Uint8Array | undefined {
    const isWhole = to - from === SECONDS;
    if (!isWhole && to - from !== MILLISECONDS) return undefined;
    let seconds = 0;
    for (let k = from; k < to; k++) {
      if (!isDigit(input[k]!)) return undefined;
      if (k < from + SECONDS) seconds = seconds * 10 + input[k]! - ZERO;
    }
    const minute = Math.floor(seconds / 60);
    const time = isWhole ? this.#withSeconds : this.#withMilliseconds;
    if (minute !== this.#minuteOfEpoch) this.#turnTo(minute);
    const rest = seconds - minute * 60;
    const tens = Math.floor(rest / 10);
    time[TO_MINUTE] = ZERO + tens;
    time[TO_MINUTE + 1] = ZERO + rest - tens * 10;
    if (!isWhole) for (let k = 0; k < 3; k++) time[20 + k] = input[from + SECONDS + k]!;
    return time;
  }

  /** Reads a time of RFC 3339; undefined if it is none. */
  iso(input: Buffer, from: number, to: number, zone: TimeZone): Uint8Array | undefined {
    if (this.#isLast(input, from, to)) return this.#time;
    return this.#learn(input, from, to, (text) => isoTime(text, zone));
  }

  /** Reads a text that may be a time in any form; undefined if it is none. */
  any(input: Buffer, from: number, to: number, zone: TimeZone): Uint8Array | undefined {
    if (this.#isLast(input, from, to)) return this.#time;
    return this.#learn(input, from, to, (text) => anyTime(text, zone));
  }

  /** Reads a time of RFC 3164; undefined if it is none. */
  bsd(input: Buffer, from: number, zone: TimeZone): Uint8Array | undefined {
    const now = Date.now();
    const second = Math.floor(now / 1000);
    const to = from + BSD_TIME;
    if (second === this.#second && this.#isLast(input, from, to)) return this.#time;
    this.#second = second;
    return this.#learn(input, from, to, (text) => bsdTime(text, zone, now));
  }

  #turnTo(minute: number): void {
    this.#minuteOfEpoch = minute;
    const bytes = bytesOf(`${dateTime(minute * 60_000)}.000Z`);
    this.#withMilliseconds.set(bytes);
    this.#withSeconds.set(bytes.subarray(0, 20));
    this.#withSeconds[19] = Z;
  }

  #isLast(input: Buffer, from: number, to: number): boolean {
    const stamp = this.#stamp;
    if (stamp.length !== to - from) return false;
    // What changes most often is late.
    let k = stamp.length - 1;
    while (k >= 0 && stamp[k] === input[from + k]) k--;
    return k < 0;
  }

  #learn(
    input: Buffer,
    from: number,
    to: number,
    read: (text: string) => string | undefined,
  ): Uint8Array | undefined {
    const text = (input as Sliceable).latin1Slice(from, to);
    const time = read(text);
    // A time of RFC 3339 that stays as it is.
    if (time === text) input.copy(this.#minute, 0, from, from + TO_MINUTE);
    this.#stamp = Uint8Array.from(input.subarray(from, to));
    this.#time = time === undefined ? undefined : bytesOf(time);
    return this.#time;
  }
}
