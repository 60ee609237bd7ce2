import type { Socket } from 'node:net';
import type { LentBytes } from './lent-bytes.ts';

/** Smaller pieces of their own share their memory with others, in bytes. */
const WORTHWHILE = 4096;

/** Writes a piece, and releases it afterwards. */
export function writeAndRelease(to: Socket, piece: LentBytes): boolean {
  const { bytes } = piece;
  if (bytes.length < WORTHWHILE && !piece.counted) return to.write(bytes);
  return to.write(bytes, () => piece.release());
}
