import { type Listed, LiveList } from './live-list.ts';

/** Reads data that may have to wait in memory for the other side: a body, a download, a tunnel. */
export interface Flow extends Listed {
  /** Stops reading until `continueReading`. */
  holdReading(): void;
  continueReading(): void;
}

const MiB = 1024 * 1024;

/** The budget without a memory limit, in bytes. */
const UNLIMITED: number = 256 * MiB;
const SMALLEST: number = 4 * MiB;

/** Requests are refused from here on, as a share of the budget; flows are held from 1 on. */
const REFUSE_AT = 1.25;
/** Held flows continue from here on, as a share of the budget. */
const CONTINUE_AT = 0.75;

/**
 * Bounds the bytes that wait in the process for a slow peer, over all connections. Beyond the
 * budget all flows stop reading until enough was sent; further beyond, new work is refused. A flow
 * that is not read costs the proxy nothing: its data waits in the kernel, and so at the sender.
 */
export class MemoryBudget {
  /** In bytes. */
  readonly limit: number;
  #used = 0;
  #held = false;
  readonly #flows = new LiveList<Flow>();
  #onChange: (held: boolean) => void = () => {};

  constructor(limit: number) {
    this.limit = limit;
  }

  /** Bytes that wait at the moment. */
  get used(): number {
    return this.#used;
  }

  /** Whether flows must not read. */
  get held(): boolean {
    return this.#held;
  }

  /** Whether new work must be refused. */
  get exhausted(): boolean {
    return this.#used > this.limit * REFUSE_AT;
  }

  /** Calls `listener` when flows are held and when they continue. */
  onChange(listener: (held: boolean) => void): void {
    this.#onChange = listener;
  }

  /** Adds a flow; it is held at once if the budget is used up. */
  join(flow: Flow): void {
    this.#flows.add(flow);
    if (this.#held) flow.holdReading();
  }

  leave(flow: Flow): void {
    this.#flows.delete(flow);
  }

  /** Counts bytes that begin to wait (positive) or were sent (negative). */
  count(bytes: number): void {
    this.#used += bytes;
    if (!this.#held && this.#used > this.limit) {
      this.#held = true;
      this.#onChange(true);
      this.#flows.visit((flow) => {
        // What the first ones gave back may be enough.
        if (this.#held) flow.holdReading();
      });
    } else if (this.#held && this.#used <= this.limit * CONTINUE_AT) {
      this.#held = false;
      this.#onChange(false);
      this.#flows.visit((flow) => {
        // The data of the first ones may use the budget up again.
        if (!this.#held) flow.continueReading();
      });
    }
  }
}

/**
 * Returns the budget for a memory limit: half of what remains of 85% of the limit after the
 * process itself. The other half is for the objects of connections and the allocator.
 * @param limit of the container, in bytes; undefined if there is none.
 * @param resident memory of the process at its start, in bytes.
 */
export function budgetFor(limit: number | undefined, resident: number): number {
  if (limit === undefined) return UNLIMITED;
  return Math.min(UNLIMITED, Math.max(SMALLEST, (limit * 0.85 - resident) / 2));
}

/** Returns the memory limit of the container (cgroup v1 or v2), in bytes, if there is one. */
export function memoryLimit(): number | undefined {
  const limit = process.constrainedMemory();
  return limit > 0 && limit < 2 ** 50 ? limit : undefined;
}
