import type { RequestBody } from './request-body.ts';
import { MAX_RETRIES } from './retry.ts';
import type { RetryBudget } from './retry-budget.ts';

/** Decides whether a request may be sent once more, and counts how often it was. */
export class Attempts {
  /** Whether the request may be served twice. */
  #idempotent = false;
  #repeated = 0;

  begin(idempotent: boolean): void {
    this.#idempotent = idempotent;
    this.#repeated = 0;
  }

  /** Whether a request that may have been served is sent again; takes from the budget. */
  mayRepeat(body: RequestBody, budget: RetryBudget): boolean {
    return this.#idempotent && body.repeatable && this.#repeated === 0 && budget.take();
  }

  /** Whether a request that no upstream has processed is sent again. */
  mayResend(body: RequestBody): boolean {
    return body.repeatable && this.#repeated < MAX_RETRIES;
  }

  /** The request is sent again. */
  count(): void {
    this.#repeated++;
  }
}
