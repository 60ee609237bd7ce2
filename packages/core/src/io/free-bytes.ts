/** Pieces below this size are left to the garbage collector, in bytes. */
const WORTHWHILE = 4096;

/**
 * Frees the memory of bytes that a socket delivered, or that were allocated by
 * `Buffer.allocUnsafeSlow`, and that nobody refers to any more. The garbage collector sees only the
 * small object in front of them and would let 64 MiB of such pieces pile up. A piece that shares
 * its memory with others is left alone.
 */
export function freeBytes(piece: Uint8Array): void {
  const { buffer, byteLength } = piece;
  if (byteLength < WORTHWHILE || byteLength !== buffer.byteLength) return;
  (buffer as ArrayBuffer).transfer(0);
}
