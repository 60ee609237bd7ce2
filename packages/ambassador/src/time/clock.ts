/** An object whose deadlines the clock checks. `now` is of `performance.now()`. */
export interface Watched {
  check(now: number): void;
}

/**
 * One coarse timer instead of one per request: every 100 ms all watched objects check their own
 * deadlines, so a timeout is late by at most that.
 */
export class Clock {
  static readonly tick = 100;
  /** The time of the last tick, in milliseconds; cheap to read on hot paths. */
  now: number = performance.now();
  readonly #watched = new Set<Watched>();
  readonly #timer: NodeJS.Timeout;

  constructor() {
    this.#timer = setInterval(() => this.#tick(), Clock.tick);
    this.#timer.unref();
  }

  watch(thing: Watched): void {
    this.#watched.add(thing);
  }

  unwatch(thing: Watched): void {
    this.#watched.delete(thing);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#watched.clear();
  }

  #tick() {
    this.now = performance.now();
    for (const thing of this.#watched) thing.check(this.now);
  }
}
