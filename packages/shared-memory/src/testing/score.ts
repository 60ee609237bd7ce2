/** Indexes of the words in which the processes of the kill test keep score. */
export const Score = {
  /** 1: producers end. */
  stop: 0,
  /** 1: producers have ended, the consumer ends when the ring is empty. */
  drain: 1,
  /** Torn or unordered records. */
  faults: 2,
  /** Records that were consumed. */
  consumed: 3,
  /** The number of the next record of each producer. */
  progress: 4,
} as const;

/** The byte from which on there is one byte for each record: how often it was consumed. */
export const SEEN = 4096;

/** The most records that a producer adds at once. */
export const BATCH = 32;
