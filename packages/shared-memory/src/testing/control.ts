/** Indexes of the words by which the model test controls the thread of one participant. */
export const Control = {
  /** One of `State`. */
  state: 0,
  /** Counts up whenever the thread is let go. */
  turn: 1,
  /** 0, 1 to die here and start again later, or `forGood`. */
  kill: 2,
  /** The word that the thread wakes or waits for. */
  index: 3,
  /** The value that it waits for. */
  expected: 4,
  words: 5,
  forGood: 2,
} as const;

export const State = {
  running: 0,
  /** Before an atomic step. */
  step: 1,
  /** Before it wakes those who wait for a word. */
  wake: 2,
  /** Before it waits for a word, or while it does. */
  asleep: 3,
  /** Killed; it starts again when it is let go. */
  dead: 4,
  /** Its task is done, its report is sent. */
  done: 5,
} as const;

/** The task of one participant. */
export interface Task {
  readonly actor: number;
  readonly name: string;
  readonly consumes: boolean;
  /** Bytes of each record of a producer; at least 4. */
  readonly lengths: readonly number[];
  /** How many records a producer commits, and a consumer releases, at once. */
  readonly batch: number;
}

export interface Delivery {
  readonly actor: number;
  readonly number: number;
  readonly length: number;
  readonly intact: boolean;
}

/** The observations of one participant, over all its lives. */
export interface Report {
  readonly actor: number;
  /** The next record of a producer. */
  next: number;
  /** Records whose commit returned. */
  readonly published: number[];
  /** Batches in whose commit the producer was killed. */
  readonly unsure: number[][];
  /** The findings of each run of a consumer, in order. */
  readonly readers: Delivery[][];
  failure?: string;
}
