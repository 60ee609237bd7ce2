import type { Socket } from 'node:net';
import { freeBytes } from '@sidekit/core';

/** Smaller pieces share their memory, in bytes. */
const WORTHWHILE = 4096;

/** Writes a piece that nobody else refers to, and frees it afterwards. */
export function writeAndFree(to: Socket, piece: Buffer): boolean {
  return piece.length < WORTHWHILE ? to.write(piece) : to.write(piece, () => freeBytes(piece));
}
