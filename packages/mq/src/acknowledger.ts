import type { Log } from '@sidekit/core';
import { PosixMQ, PosixMQError } from '@sidekit/posix-mq';
import { queueFailure } from './failures.ts';
import { type DataHeader, encodeAck } from './frame.ts';
import type { Inbox } from './inbox.ts';

export interface AcknowledgerOptions {
  /** The queue for acknowledgements, made by the producer. */
  readonly name: string;
  readonly inbox: Inbox;
  readonly log: Log;
}

/**
 * The consumer's side of at-least-once: takes the records of a stream in order and once, and
 * acknowledges them when they are delivered and that is kept.
 */
export class Acknowledger {
  readonly #options: AcknowledgerOptions;
  #queue: PosixMQ | undefined;
  #failure: unknown;
  /** Streams to acknowledge; true where what comes next is missing and to be sent again. */
  readonly #owed = new Map<string, boolean>();

  constructor(options: AcknowledgerOptions) {
    this.#options = options;
    // What the one before had received and not delivered must come again.
    const latest = [...options.inbox.streams.keys()].at(-1);
    if (latest !== undefined) this.#owed.set(latest, true);
  }

  /**
   * How many records at the start of a message were received before: its count or more where it
   * brings nothing new, −1 where one before it is missing (all up to it comes again).
   */
  known({ stream, sequence, count, base }: DataHeader): number {
    const { inbox } = this.#options;
    // What the producer no longer keeps was acknowledged, maybe by a consumer with another inbox.
    const received = Math.max(inbox.received(stream), base - 1);
    if (sequence > received + 1) {
      this.#owed.set(stream, true);
      return -1;
    }
    const known = received + 1 - sequence;
    if (known < count) inbox.note(stream, sequence + count - 1);
    if (!this.#owed.has(stream)) this.#owed.set(stream, false);
    return known;
  }

  get owing(): boolean {
    return this.#owed.size > 0;
  }

  /** Sends what is owed, as far as the queue is there and has room. @throws {ExpectedError} */
  acknowledge(): void {
    if (this.#failure !== undefined) throw this.#failure;
    const queue = this.#queue;
    if (!queue) return;
    for (const [stream, resume] of this.#owed) {
      const sequence = this.#options.inbox.received(stream);
      if (!queue.push(encodeAck({ stream, sequence, resume }))) return;
      this.#owed.delete(stream);
    }
  }

  /** Opens the queue where it is there, or was made anew. */
  async look(): Promise<void> {
    const { name, inbox, log } = this.#options;
    if (this.#queue && this.#queue.identity().links > 0) return;
    try {
      const queue = await PosixMQ.open({ name, access: 'write' });
      this.#queue?.close();
      this.#queue = queue;
    } catch (error) {
      const code = error instanceof PosixMQError ? error.code : '';
      // Its maker sets the mode just after; the records wait in the journal meanwhile.
      if (code === 'EACCES') log.warn(String((queueFailure(error) as Error).message));
      else if (code !== 'ENOENT') this.#failure = queueFailure(error);
      return;
    }
    // What was sent to the old queue may be lost.
    const latest = [...inbox.streams.keys()].at(-1);
    if (latest !== undefined && !this.#owed.has(latest)) this.#owed.set(latest, false);
  }

  close(): void {
    this.#queue?.close();
  }
}
