const FEW = 4;
/** The most tries, of about 0.5 µs each: together they take as long as a sleep and its wake-up. */
const MANY = 200;

/**
 * Decides how often to retry on a full or empty queue before sleeping, as adaptive mutexes do.
 * While both sides run on a core of their own, the other one is done sooner than a sleep would be;
 * if they share one, or the flow is slow, a retry only takes the other's time. So it learns: a
 * retry that succeeds doubles the number, a series without success halves it.
 */
export class Spinning {
  tries = FEW;

  /** Records that a retry succeeded. */
  won(): void {
    if (this.tries < MANY) this.tries *= 2;
  }

  /** Records that all retries failed. */
  lost(): void {
    if (this.tries > FEW) this.tries >>= 1;
  }
}
