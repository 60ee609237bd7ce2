/** How a writer treated bytes that were lent to it. */
export const Taken = {
  /** They were written at once, or copied. */
  written: 0,
  /** They are still referred to. */
  kept: 1,
  /** They are still referred to, and the writer wants no more until it calls `resume`. */
  full: 2,
} as const;

export type Taken = (typeof Taken)[keyof typeof Taken];

/**
 * Pieces of up to this many bytes are copied rather than kept: small bodies go out in one write
 * with their head, and reads of that size share one buffer.
 */
export const SMALL: number = 16 * 1024;
