/**
 * A received message as one line of a spool: the time of its arrival in milliseconds since the
 * epoch, a space, and the message, in which `\n`, `\r`, `\0` and `\\` stand for what a line cannot
 * hold or a reader of lines would change. `\!` at the end says that the message was cut.
 */

const LF = 0x0a;
const CR = 0x0d;
const BACKSLASH = 0x5c;

/** The escape of each byte that has one. */
const ESCAPES = new Uint8Array(256);
ESCAPES[0] = 0x30;
ESCAPES[LF] = 0x6e;
ESCAPES[CR] = 0x72;
ESCAPES[BACKSLASH] = BACKSLASH;

/** The most bytes of the line of a message with `length` bytes. */
export function longestLine(length: number): number {
  return length * 2 + 20;
}

/**
 * Writes the line of a message, with its line feed.
 * @param stamp the time of its arrival and a space, in ASCII.
 * @param out has room for the longest line from `at` on.
 * @returns the position after it.
 */
export function writeLine(
  stamp: Uint8Array,
  message: Uint8Array,
  cut: boolean,
  out: Uint8Array,
  at: number,
): number {
  let o = at;
  for (let i = 0; i < stamp.length; i++) out[o++] = stamp[i]!;
  for (let i = 0; i < message.length; i++) {
    const byte = message[i]!;
    const letter = ESCAPES[byte]!;
    if (letter === 0) out[o++] = byte;
    else {
      out[o++] = BACKSLASH;
      out[o++] = letter;
    }
  }
  if (cut) {
    out[o++] = BACKSLASH;
    out[o++] = 0x21;
  }
  out[o++] = LF;
  return o;
}

/** A message as it was received. */
export interface Received {
  /** In milliseconds since the epoch; NaN if the line is damaged. */
  readonly at: number;
  readonly message: string;
  /** True if only the beginning of the message was kept. */
  readonly cut: boolean;
}

const STAMP = /^\d{1,16} /;
const WRITTEN: Readonly<Record<string, string>> = { n: '\n', r: '\r', '0': '\0' };

/** Reads a line without its line feed; one that is damaged is a message of its own. */
export function readLine(line: string): Received {
  const stamp = STAMP.exec(line)?.[0] ?? '';
  const cut = isCut(line);
  const text = line.slice(stamp.length, cut ? -2 : undefined);
  const message = text.includes('\\')
    ? text.replace(/\\(.)/g, (_, one: string) => WRITTEN[one] ?? one)
    : text;
  return { at: stamp === '' ? Number.NaN : Number(stamp), message, cut };
}

function isCut(line: string): boolean {
  if (!line.endsWith('\\!')) return false;
  let backslashes = 0;
  for (let i = line.length - 2; line[i] === '\\'; i--) backslashes++;
  return backslashes % 2 === 1;
}
