/** The burst of events that are kept, and the time after which one more is, in milliseconds. */
const BURST = 25;
const REFILL = 5 * 60_000;

/**
 * Limits the events of failing probes, which come without end, while everything else is slowed down by
 * its back-off: of each container and reason 25 are kept, then one every 5 minutes, as by the
 * recorder of the kubelet (client-go: EventSourceObjectSpamFilter).
 */
export class Recurring {
  readonly #buckets = new Map<string, { left: number; since: number }>();

  /** Whether an event is kept. @param now in milliseconds */
  keeps(key: string, now: number): boolean {
    const bucket = this.#buckets.get(key) ?? { left: BURST, since: now };
    this.#buckets.set(key, bucket);
    const added = Math.floor((now - bucket.since) / REFILL);
    bucket.left = Math.min(BURST, bucket.left + added);
    bucket.since += added * REFILL;
    if (bucket.left === 0) return false;
    bucket.left--;
    return true;
  }
}
