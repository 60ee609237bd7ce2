/** A token bucket: `rate` requests a second on average, `burst` at once. */
export class RateLimit {
  readonly #rate: number;
  readonly #burst: number;
  #tokens: number;
  #at: number | undefined;

  constructor(rate: number, burst: number) {
    this.#rate = rate / 1000;
    this.#burst = burst;
    this.#tokens = burst;
  }

  /** Takes one token at `now` (milliseconds). Returns 0, or the time until there is one. */
  take(now: number): number {
    const passed = now - (this.#at ?? now);
    this.#at = now;
    this.#tokens = Math.min(this.#burst, this.#tokens + passed * this.#rate);
    if (this.#tokens >= 1) {
      this.#tokens--;
      return 0;
    }
    return (1 - this.#tokens) / this.#rate;
  }
}
