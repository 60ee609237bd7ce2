import type { Writable } from 'node:stream';
import type { LentBytes } from '../memory/lent-bytes.ts';
import { SMALL } from './small.ts';

/**
 * Writes lent bytes as one chunk (RFC 9112 §7.1) in one write. A small piece is copied, since the
 * lender reuses its memory.
 * @param before text that goes out ahead of the chunk, such as a head.
 * @returns false if no more should be written until `drain`.
 */
export function writeChunk(
  to: Writable,
  before: string,
  lent: LentBytes,
  start: number,
  end: number,
): boolean {
  const size = end - start;
  const head = `${before}${size.toString(16)}\r\n`;
  if (size <= SMALL)
    return to.write(`${head}${lent.bytes.toString('latin1', start, end)}\r\n`, 'latin1');
  to.cork();
  to.write(head, 'latin1');
  lent.retain();
  to.write(lent.bytes.subarray(start, end), () => lent.release());
  const more = to.write('\r\n', 'latin1');
  to.uncork();
  return more;
}

/** Formats the last chunk with its trailers, names and values in turn. */
export function lastChunk(trailers: readonly string[]): string {
  let text = '0\r\n';
  for (let i = 0; i < trailers.length; i += 2) text += `${trailers[i]}: ${trailers[i + 1]}\r\n`;
  return `${text}\r\n`;
}
