import { type Condition, type Log, monotonic, PollingWatch, pause } from '@sidekit/core';
import { type OpenOptions, PosixMQ, type PosixMQError, QUEUE_DIRECTORY } from '@sidekit/posix-mq';
import { queueFailure } from '../failures.ts';
import { Bell } from '../first-of.ts';

export interface QueueWriterOptions {
  readonly name: string;
  readonly mode: string;
  readonly maxmsgs: number;
  readonly msgsize: number;
  /** In milliseconds. */
  readonly checkInterval: number;
  readonly log: Log;
  readonly ready: Condition;
}

/**
 * Writes to a queue: creates it if it does not exist, and recreates it if its name was removed. An
 * open queue works without its name, but nobody else finds it.
 */
export class QueueWriter {
  readonly #options: QueueWriterOptions;
  readonly #watch: PollingWatch;
  /** Rings when the queue is removed. */
  readonly changed = new Bell();
  queue: PosixMQ;
  /** Whether the name no longer leads to the open queue. */
  removed = false;

  private constructor(options: QueueWriterOptions, queue: PosixMQ) {
    this.#options = options;
    this.queue = queue;
    this.#watch = new PollingWatch({
      directories: [QUEUE_DIRECTORY],
      interval: options.checkInterval,
      poll: () => void this.check(),
      log: options.log,
    });
  }

  /** Opens or creates the queue. @throws {ExpectedError} if it cannot. */
  static async open(options: QueueWriterOptions): Promise<QueueWriter> {
    const queue = await openOrCreate(options);
    options.ready.pass();
    return new QueueWriter(options, queue);
  }

  /** Checks that the queue still has its name. @returns whether it was removed. */
  check(): boolean {
    if (!this.removed && this.queue.identity().links === 0) {
      this.removed = true;
      this.#options.log.warn('the queue was removed', {
        event: 'queue_removed',
        queue: this.#options.name,
      });
      this.#options.ready.fail(`queue ${this.#options.name} was removed`);
      this.changed.ring();
    }
    return this.removed;
  }

  /** Recreates the queue and returns the old one, still open. */
  async replace(): Promise<PosixMQ> {
    const old = this.queue;
    this.queue = await openOrCreate(this.#options);
    this.removed = false;
    this.#options.ready.pass();
    return old;
  }

  /**
   * Recreates the queue and moves, in order, the messages that nobody took from the old one; but
   * first waits while a consumer that has the old one open still takes some.
   */
  async moveOver(stopping: AbortSignal): Promise<void> {
    const patience = 5 * this.#options.checkInterval;
    let left = this.queue.curmsgs;
    let since = monotonic();
    while (left > 0 && monotonic() - since < patience) {
      if (!(await pause(this.#options.checkInterval, stopping))) return;
      const now = this.queue.curmsgs;
      if (now !== left) since = monotonic();
      left = now;
    }
    const old = await this.replace();
    const moved = await this.#move(old, stopping);
    old.close();
    if (moved > 0)
      this.#options.log.info('messages moved to the new queue', {
        event: 'messages_moved',
        moved,
      });
  }

  async #move(old: PosixMQ, stopping: AbortSignal): Promise<number> {
    const buffer = Buffer.alloc(old.msgsize);
    for (let moved = 0; ; moved++) {
      const message = old.access === 'write' ? false : old.shift(buffer, true);
      if (message === false) return moved;
      const [length, priority] = message;
      while (!this.queue.push(buffer.subarray(0, length), priority)) {
        if (!(await this.queue.writable(stopping))) return moved;
      }
    }
  }

  async close(): Promise<void> {
    await this.#watch.close();
    this.queue.close();
  }
}

async function openOrCreate(options: QueueWriterOptions): Promise<PosixMQ> {
  const { name, mode, maxmsgs, msgsize, log } = options;
  const how: OpenOptions = { name, mode, maxmsgs, msgsize, create: true };
  let queue: PosixMQ;
  try {
    // Open for reading too, so that messages can be moved; another user's queue may not allow it.
    queue = await PosixMQ.open(how).catch((error: PosixMQError) => {
      if (error.code === 'EACCES') return PosixMQ.open({ ...how, access: 'write' });
      throw error;
    });
  } catch (error) {
    throw queueFailure(error);
  }
  log.info(queue.created ? 'queue created' : 'queue found', {
    event: queue.created ? 'queue_created' : 'queue_found',
    queue: name,
    maxmsgs: queue.maxmsgs,
    msgsize: queue.msgsize,
    curmsgs: queue.curmsgs,
  });
  return queue;
}
