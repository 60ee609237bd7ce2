/**
 * Pieces of up to this many bytes are copied rather than kept: small bodies go out in one write
 * with their head, and reads of that size share one buffer.
 */
export const SMALL: number = 16 * 1024;
