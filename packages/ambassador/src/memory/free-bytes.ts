import type { Socket } from 'node:net';

/** Pieces below this size are left to the garbage collector, in bytes. */
const WORTHWHILE = 4096;

/**
 * Frees the memory of a piece that a socket's `data` event delivered and that nobody refers to any
 * more. The garbage collector sees only the small object in front of it and would let many
 * megabytes of such pieces pile up. A piece that shares its memory is left alone.
 */
export function freeBytes(piece: Buffer): void {
  const { buffer, byteLength } = piece;
  if (byteLength < WORTHWHILE || byteLength !== buffer.byteLength) return;
  (buffer as ArrayBuffer).transfer(0);
}

/** Writes a piece that nobody else refers to, and frees it afterwards. */
export function writeAndFree(to: Socket, piece: Buffer): boolean {
  return piece.length < WORTHWHILE ? to.write(piece) : to.write(piece, () => freeBytes(piece));
}
