import type { Log } from '@sidekit/core';
import { queueFailure } from '../failures.ts';
import type { DeliveredOffsets } from '../journal/delivered-offsets.ts';
import { openExisting, type WriteEnd } from '../queue/ends.ts';
import { type DataHeader, encodeAck } from '../queue/frame.ts';

export interface AcknowledgerOptions {
  /** The queue for acknowledgements, created by the producer. */
  readonly name: string;
  readonly delivered: DeliveredOffsets;
  readonly log: Log;
}

/**
 * Is the consumer's side of at-least-once: accepts the records of a stream in order and once, and
 * acknowledges them when they are delivered and that is stored.
 */
export class Acknowledger {
  readonly #options: AcknowledgerOptions;
  #queue: WriteEnd | undefined;
  #failure: unknown;
  /** Streams to acknowledge; true if the records after that must be sent again. */
  readonly #pending = new Map<string, boolean>();

  constructor(options: AcknowledgerOptions) {
    this.#options = options;
    // The records that the previous process received and did not deliver must be sent again.
    const latest = [...options.delivered.streams.keys()].at(-1);
    if (latest !== undefined) this.#pending.set(latest, true);
  }

  /**
   * Counts the records at the start of a message that were received before: its count or more if
   * it brings nothing new, −1 if an earlier record is missing (all from there is sent again).
   */
  known({ stream, sequence, base }: DataHeader): number {
    const { delivered } = this.#options;
    // Records that the producer no longer keeps were acknowledged, maybe to another consumer.
    const received = Math.max(delivered.received(stream), base - 1);
    if (sequence > received + 1) {
      this.#pending.set(stream, true);
      return -1;
    }
    const known = received + 1 - sequence;
    if (!this.#pending.has(stream)) this.#pending.set(stream, false);
    return known;
  }

  /** Whether an acknowledgement is still to be sent. */
  get pending(): boolean {
    return this.#pending.size > 0;
  }

  /** Sends pending acknowledgements while the queue exists and has room. @throws {ExpectedError} */
  acknowledge(): void {
    if (this.#failure !== undefined) throw this.#failure;
    const queue = this.#queue;
    if (!queue) return;
    for (const [stream, resume] of this.#pending) {
      const sequence = this.#options.delivered.received(stream);
      if (!queue.push(encodeAck({ stream, sequence, resume }))) return;
      this.#pending.delete(stream);
    }
  }

  /** Opens the queue if it exists or was recreated. */
  async check(): Promise<void> {
    const { name, delivered, log } = this.#options;
    if (this.#queue && this.#queue.identity().links > 0) return;
    try {
      const queue = await openExisting(name);
      this.#queue?.close();
      this.#queue = queue;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // The producer sets the mode right after creation; the records wait in the journal meanwhile.
      if (code === 'EACCES') log.warn(String((queueFailure(error) as Error).message));
      else if (code !== 'ENOENT') this.#failure = queueFailure(error);
      return;
    }
    // An acknowledgement in the old queue may be lost: send it again.
    const latest = [...delivered.streams.keys()].at(-1);
    if (latest !== undefined && !this.#pending.has(latest)) this.#pending.set(latest, false);
  }

  close(): void {
    this.#queue?.close();
  }
}
