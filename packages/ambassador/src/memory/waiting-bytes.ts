import type { MemoryBudget } from './memory-budget.ts';

/** Keeps one connection's share in a budget up to date. */
export class WaitingBytes {
  readonly #budget: MemoryBudget;
  #bytes = 0;

  constructor(budget: MemoryBudget) {
    this.#budget = budget;
  }

  /** Bytes that wait now. */
  set(bytes: number): void {
    const change = bytes - this.#bytes;
    if (change === 0) return;
    this.#bytes = bytes;
    this.#budget.count(change);
  }
}
