import http from 'node:http';
import { leadingMethod, MAX_METHOD } from '../http/methods.ts';

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

/**
 * Replaces a method that the parser of node:http would refuse by one with the same framing, and
 * returns it. Any token is a method (RFC 9110 §9.1).
 */
export function withKnownMethod(unread: Buffer): [string | undefined, Buffer] {
  const method = leadingMethod(unread.toString('latin1', 0, MAX_METHOD + 1));
  if (method === undefined || http.METHODS.includes(method)) return [undefined, unread];
  return [method, Buffer.concat([Buffer.from('POST'), unread.subarray(method.length)])];
}

/**
 * Returns the bytes from the message on that the parser refused, if its method is the reason. The
 * message must begin in the packet of the error.
 * @param before bytes of the body before it, if its length is known and it has arrived with its head
 * in the same packet; 0 if the message follows a line or begins the packet.
 */
export function refusedMethod(error: ParseError, before: number): Buffer | undefined {
  const { rawPacket, bytesParsed } = error;
  if (rawPacket === undefined || bytesParsed === undefined) return undefined;
  const start = error.messageStart ?? messageStart(error, rawPacket, bytesParsed, before);
  if (start === undefined) return undefined;
  const message = rawPacket.subarray(start);
  return withKnownMethod(message)[0] === undefined ? undefined : message;
}

function messageStart(error: ParseError, packet: Buffer, upTo: number, before: number) {
  // The parser knows methods of RTSP, but not with HTTP. All other faults are not in the first line.
  if (error.code !== 'HPE_INVALID_METHOD' && !error.reason?.startsWith('Invalid method'))
    return undefined;
  const text = packet.toString('latin1');
  if (before > 0) return afterBody(text, upTo, before);
  const line = text.slice(0, upTo);
  return Math.max(line.lastIndexOf('\n'), line.lastIndexOf('\r')) + 1;
}

/** Returns where a message begins, in the line of `upTo`, behind a body of `length` bytes, if that is certain. */
function afterBody(text: string, upTo: number, length: number): number | undefined {
  let found: number | undefined;
  for (let at = text.indexOf('\r\n\r\n'); at !== -1; at = text.indexOf('\r\n\r\n', at + 1)) {
    const end = at + 4 + length;
    if (end > upTo || /[\r\n]/.test(text.slice(end, upTo))) continue;
    if (leadingMethod(text.slice(end, end + MAX_METHOD + 1)) === undefined) continue;
    if (found !== undefined) return undefined;
    found = end;
  }
  return found;
}
