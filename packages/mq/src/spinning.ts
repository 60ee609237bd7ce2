const FEW = 4;
/** Of about 0.5 µs each: together what a sleep and its wake-up take. */
const MANY = 200;

/**
 * How often to try again on a full or empty queue before sleeping, as adaptive mutexes do. While
 * both sides run on a core of their own, the other one is done sooner than a sleep would be; where
 * they share one, or the flow is slow, trying again only takes the other's time. So it learns: a
 * try that succeeds doubles the number, a series that was for nothing halves it.
 */
export class Spinning {
  tries = FEW;

  /** A try after others succeeded. */
  won(): void {
    if (this.tries < MANY) this.tries *= 2;
  }

  /** All were for nothing. */
  lost(): void {
    if (this.tries > FEW) this.tries >>= 1;
  }
}
