import type { Flow, MemoryBudget } from '../memory/memory-budget.ts';

/** The two directions of an exchange. */
export interface Directions {
  pauseRequest(): void;
  resumeRequest(): void;
  pauseResponse(): void;
  resumeResponse(): void;
}

/** Decides when an exchange reads: while the other side takes more and the memory budget allows it. */
export class ExchangeFlow implements Flow {
  place = -1;
  /** Whether the memory budget wants nothing to be read. */
  held = false;
  readonly #directions: Directions;
  /** The budget that it has joined. */
  #memory: MemoryBudget | undefined;
  #requestBlocked = true;
  #responseBlocked = false;

  constructor(directions: Directions) {
    this.#directions = directions;
  }

  begin(): void {
    this.#requestBlocked = true;
    this.#responseBlocked = false;
  }

  /** From now on the budget may hold it. */
  join(memory: MemoryBudget): void {
    if (this.#memory !== undefined) return;
    this.#memory = memory;
    memory.join(this);
  }

  leave(): void {
    this.#memory?.leave(this);
    this.#memory = undefined;
    this.held = false;
  }

  /** Whether the client's body may be read. */
  get readsRequest(): boolean {
    return !this.#requestBlocked && !this.held;
  }

  /** Notes whether the upstream takes more; returns whether the client's body may be read. */
  requestTaken(more: boolean): boolean {
    this.#requestBlocked = !more;
    return this.readsRequest;
  }

  /** Notes whether the client takes more; returns whether the response may be read. */
  responseTaken(more: boolean): boolean {
    this.#responseBlocked = !more;
    return more && !this.held;
  }

  /** The upstream takes more again. */
  requestDrained(): void {
    this.#requestBlocked = false;
    if (!this.held) this.#directions.resumeRequest();
  }

  /** The client takes more again. */
  responseDrained(): void {
    this.#responseBlocked = false;
    if (!this.held) this.#directions.resumeResponse();
  }

  holdReading(): void {
    this.held = true;
    this.#directions.pauseRequest();
    this.#directions.pauseResponse();
  }

  continueReading(): void {
    this.held = false;
    if (!this.#requestBlocked) this.#directions.resumeRequest();
    if (!this.#responseBlocked) this.#directions.resumeResponse();
  }
}
