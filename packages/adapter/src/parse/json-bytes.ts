/**
 * Scans and writes JSON bytes in the form that `JSON.stringify` writes, without making strings.
 */

/** 1 for bytes that JSON writes unchanged; the input is known to be UTF-8. */
export const PLAIN: Uint8Array = new Uint8Array(256).fill(1, 0x20);
PLAIN[0x22] = 0;
PLAIN[0x5c] = 0;

/** The letters after a backslash that JSON.stringify writes too: `"\bfnrt`. */
const SHORT_ESCAPE = new Uint8Array(256);
for (const letter of '"\\bfnrt') SHORT_ESCAPE[letter.charCodeAt(0)] = 1;

/** Numbers of up to this many digits survive a double unchanged. */
const DIGITS = 15;

export const SPACE = 0x20;
export const QUOTE = 0x22;
export const COMMA = 0x2c;
export const MINUS = 0x2d;
export const POINT = 0x2e;
export const ZERO = 0x30;
export const COLON = 0x3a;
export const OPEN_LIST = 0x5b;
export const BACKSLASH = 0x5c;
export const CLOSE_LIST = 0x5d;
export const OPEN = 0x7b;
export const CLOSE = 0x7d;

/** Returns a text as UTF-8, not in Node's shared pool. */
export const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text));

/** Returns the position after a string's closing quote, or -1. */
export function stringEnd(input: Buffer, at: number): number {
  let i = at;
  for (;;) {
    while (PLAIN[input[i]!] === 1) i++;
    if (input[i] === QUOTE) return i + 1;
    if (input[i] !== BACKSLASH || SHORT_ESCAPE[input[i + 1]!] !== 1) return -1;
    i += 2;
  }
}

/** Returns the position after a number that JSON.stringify would write in this way, or -1. */
export function numberEnd(input: Buffer, at: number): number {
  let i = input[at] === MINUS ? at + 1 : at;
  const first = i;
  while (isDigit(input[i]!)) i++;
  const whole = i - first;
  if (whole === 0 || whole > DIGITS) return -1;
  const zero = input[first] === ZERO;
  if (zero && whole > 1) return -1;
  if (input[i] !== POINT) {
    // Zero has no sign in JavaScript's JSON; an exponent is another form.
    return (zero && first !== at) || isExponent(input[i]!) ? -1 : i;
  }
  i++;
  const fraction = i;
  while (isDigit(input[i]!)) i++;
  const places = i - fraction;
  if (places === 0 || whole + places > DIGITS || input[i - 1] === ZERO) return -1;
  // Below a millionth JavaScript writes an exponent.
  if (zero) {
    let zeros = 0;
    while (input[fraction + zeros] === ZERO) zeros++;
    if (zeros > 5) return -1;
  }
  return isExponent(input[i]!) ? -1 : i;
}

const WORDS = ['true', 'false', 'null'].map((word) => Uint8Array.from(Buffer.from(word)));

/** Returns the position after `true`, `false` or `null`, or -1. */
export function wordEnd(input: Buffer, at: number): number {
  for (const word of WORDS) {
    let k = 0;
    while (k < word.length && word[k] === input[at + k]) k++;
    if (k === word.length) return at + k;
  }
  return -1;
}

export function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= 0x39;
}

function isExponent(byte: number): boolean {
  return byte === 0x65 || byte === 0x45;
}

/** Copies bytes and returns the position after them. */
export function copy(
  input: Uint8Array,
  from: number,
  to: number,
  out: Uint8Array,
  at: number,
): number {
  let o = at;
  for (let k = from; k < to; k++) out[o++] = input[k]!;
  return o;
}

/** Pieces of so many bytes and more are copied by Node's own function: the call costs as much as a loop over them. */
const WORTH_A_CALL = 64;

/** Does what `copy` does, for pieces that may be long. */
export function copyLong(input: Buffer, from: number, to: number, out: Buffer, at: number): number {
  if (to - from < WORTH_A_CALL) return copy(input, from, to, out, at);
  input.copy(out, at, from, to);
  return at + to - from;
}

/** Copies without the spaces that are not in strings. */
export function compact(
  input: Uint8Array,
  from: number,
  to: number,
  out: Uint8Array,
  at: number,
): number {
  let o = at;
  for (let k = from; k < to; k++) {
    const byte = input[k]!;
    if (byte === SPACE) continue;
    out[o++] = byte;
    if (byte !== QUOTE) continue;
    for (k++; input[k] !== QUOTE; k++) {
      out[o++] = input[k]!;
      if (input[k] === BACKSLASH) out[o++] = input[++k]!;
    }
    out[o++] = QUOTE;
  }
  return o;
}

/** Writes bytes without escapes between quotes and returns the position after it. */
export function quoted(text: Uint8Array, out: Buffer, at: number): number {
  out[at] = QUOTE;
  const end = copy(text, 0, text.length, out, at + 1);
  out[end] = QUOTE;
  return end + 1;
}
