/**
 * Bounds the extra load of retries: a share of the requests, and a few a second for quiet times
 * (like the budgets of linkerd and Finagle). Tokens are capped, so that a quiet hour cannot save up
 * for a retry storm.
 */
export class RetryBudget {
  readonly #share: number;
  readonly #floor: number;
  #tokens: number;
  #at = 0;

  /** @param share retries per request, 0–1. @param floor retries a second whatever the load. */
  constructor(share: number, floor: number) {
    this.#share = share;
    this.#floor = floor;
    this.#tokens = floor;
  }

  /** Counts a request at `now` (milliseconds). */
  request(now: number): void {
    const earned = this.#share + (this.#at === 0 ? 0 : ((now - this.#at) / 1000) * this.#floor);
    this.#at = now;
    this.#tokens = Math.min(this.#tokens + earned, this.#floor * 10 + 100);
  }

  /** Whether one more retry is within the budget. */
  take(): boolean {
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}
