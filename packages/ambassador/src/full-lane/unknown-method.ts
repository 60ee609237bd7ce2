import http from 'node:http';
import { isMadeOf, TOKEN } from '../http/characters.ts';
import { leadingMethod, MAX_METHOD, NO_METHOD } from '../http/methods.ts';

/** An error of the parser of node:http. */
export interface ParseError extends NodeJS.ErrnoException {
  /** The bytes that it was given last. */
  readonly rawPacket?: Buffer;
  /** How many of them it had read. */
  readonly bytesParsed?: number;
  readonly reason?: string;
  /** The offset in them at which the message begins, if that is known. */
  readonly messageStart?: number;
}

/** The body of the message before, in the same read or behind it. */
export interface BodyBefore {
  /** In bytes; 0 or less if its end is that of a line. */
  readonly length: number;
  /** Bytes of it in this read; undefined if its head ended in this read too. */
  readonly inRead: number | undefined;
}

/**
 * Replaces a method that the parser of node:http would refuse by one with the same framing, and
 * returns it. Any token is a method (RFC 9110 §9.1).
 */
export function withKnownMethod(unread: Buffer): [string | undefined, Buffer] {
  const method = leadingMethod(unread.toString('latin1', 0, MAX_METHOD + 1));
  if (method === undefined || method === NO_METHOD || http.METHODS.includes(method))
    return [undefined, unread];
  return [method, Buffer.concat([Buffer.from('POST'), unread.subarray(method.length)])];
}

/**
 * Returns a message, without empty lines before it (RFC 9112 §2.2), whose method the parser does not
 * know, or may not know once it is complete; undefined for any other.
 */
export function withUnknownMethod(bytes: Buffer): Buffer | undefined {
  let at = 0;
  while (bytes[at] === CR || bytes[at] === LF) at++;
  const message = bytes.subarray(at);
  const incomplete = message.length <= MAX_METHOD && isToken(message.toString('latin1'));
  return incomplete || withKnownMethod(message)[0] !== undefined ? message : undefined;
}

const CR = 13;
const LF = 10;

/** Whether text may be the beginning of a method. */
function isToken(text: string): boolean {
  return text === '' || isMadeOf(TOKEN, text);
}

/**
 * Returns where a message begins in the bytes of a read, if that is certain.
 * @param upTo an offset within its first line.
 */
export function messageStart(bytes: Buffer, upTo: number, before: BodyBefore): number | undefined {
  const text = bytes.toString('latin1');
  if (before.length <= 0) {
    const line = text.slice(0, upTo);
    return Math.max(line.lastIndexOf('\n'), line.lastIndexOf('\r')) + 1;
  }
  if (before.inRead !== undefined)
    return isStart(text, before.inRead, upTo) ? before.inRead : undefined;
  let found: number | undefined;
  for (let at = text.indexOf('\r\n\r\n'); at !== -1; at = text.indexOf('\r\n\r\n', at + 1)) {
    const end = at + 4 + before.length;
    if (!isStart(text, end, upTo)) continue;
    if (found !== undefined) return undefined;
    found = end;
  }
  return found;
}

/** Whether a message may begin at `start`, with or without empty lines, and `upTo` be in its first line. */
function isStart(text: string, start: number, upTo: number): boolean {
  if (start > upTo) return false;
  const line = text.slice(start, upTo).replace(/^[\r\n]+/, '');
  const begin = upTo - line.length;
  const beginning = text.slice(begin, begin + MAX_METHOD + 1);
  return !/[\r\n]/.test(line) && (leadingMethod(beginning) !== undefined || isToken(beginning));
}
