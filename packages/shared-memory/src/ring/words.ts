/**
 * The words of a ring's header, by index. Each method is one atomic step, sequentially
 * consistent as all `Atomics` are: for C11, memory_order_seq_cst. The ring's algorithms touch
 * shared words through nothing else, so that a test can interleave them at every step.
 */
export interface Words {
  load(index: number): number;
  store(index: number, value: number): void;
  /** @returns the value before: `expected` if it was exchanged. */
  compareExchange(index: number, expected: number, value: number): number;
  /** Wakes every process that waits for the word. */
  wake(index: number): void;
}

export class MappedWords implements Words {
  readonly #words: Int32Array;
  readonly #wake: (index: number) => void;

  constructor(words: Int32Array, wake: (index: number) => void) {
    this.#words = words;
    this.#wake = wake;
  }

  load(index: number): number {
    return Atomics.load(this.#words, index);
  }

  store(index: number, value: number): void {
    Atomics.store(this.#words, index, value);
  }

  compareExchange(index: number, expected: number, value: number): number {
    return Atomics.compareExchange(this.#words, index, expected, value);
  }

  wake(index: number): void {
    this.#wake(index);
  }
}
