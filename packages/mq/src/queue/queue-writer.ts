import {
  type Condition,
  type Counter,
  fullJitter,
  type Log,
  monotonic,
  PollingWatch,
  pause,
} from '@sidekit/core';
import { PosixMQ } from '@sidekit/posix-mq';
import { isPassing, queueFailure } from '../failures.ts';
import { Bell } from '../first-of.ts';
import { directoryOf, type ReadEnd, type WriteEnd } from './ends.ts';

export interface QueueWriterOptions<T extends WriteEnd | ReadEnd> {
  readonly name: string;
  /** Opens or creates the queue. */
  readonly open: () => Promise<T>;
  /** In milliseconds. */
  readonly checkInterval: number;
  readonly log: Log;
  readonly ready: Condition;
  /** Counts attempts to open or create the queue that failed and are made again. */
  readonly failures: Counter;
  readonly stopping: AbortSignal;
}

/** How long messages of a removed queue are left to a consumer that takes none, in milliseconds. */
const PATIENCE = 1000;

/**
 * Keeps the end of a queue that this side creates: creates it if it does not exist, and recreates
 * it if its name was removed. An open queue works without its name, but nobody else finds it.
 */
export class QueueWriter<T extends WriteEnd | ReadEnd = WriteEnd> {
  readonly #options: QueueWriterOptions<T>;
  readonly #watch: PollingWatch;
  /** Rings when the queue is removed. */
  readonly changed = new Bell();
  queue: T;
  /** Whether the name no longer leads to the open queue. */
  removed = false;

  private constructor(options: QueueWriterOptions<T>, queue: T) {
    this.#options = options;
    this.queue = queue;
    this.#watch = new PollingWatch({
      directories: [directoryOf(options.name)],
      interval: options.checkInterval,
      poll: () => void this.check(),
      log: options.log,
    });
  }

  /**
   * Opens or creates the queue, again and again while only room is missing.
   * @throws {ExpectedError} if it cannot, and the AbortError of `stopping`.
   */
  static async open<T extends WriteEnd | ReadEnd>(
    options: QueueWriterOptions<T>,
  ): Promise<QueueWriter<T>> {
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
  async replace(): Promise<T> {
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
    let left = this.queue.curmsgs;
    let since = monotonic();
    while (left > 0 && monotonic() - since < PATIENCE) {
      if (!(await pause(PATIENCE / 5, stopping))) return;
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

  /** Moves the messages of a queue that can be read as well; of a ring, only its consumer can. */
  async #move(old: T, stopping: AbortSignal): Promise<number> {
    const { queue } = this;
    if (!(old instanceof PosixMQ && queue instanceof PosixMQ)) return 0;
    const buffer = Buffer.alloc(old.msgsize);
    for (let moved = 0; ; moved++) {
      const message = old.access === 'write' ? false : old.shift(buffer, true);
      if (message === false) return moved;
      const [length, priority] = message;
      while (!queue.push(buffer.subarray(0, length), priority)) {
        if (!(await queue.writable(stopping))) return moved;
      }
    }
  }

  async close(): Promise<void> {
    await this.#watch.close();
    this.queue.close();
  }
}

async function openOrCreate<T extends WriteEnd | ReadEnd>(
  options: QueueWriterOptions<T>,
): Promise<T> {
  const { name, log } = options;
  const queue = await openWithRoom(options);
  log.info(queue.created ? 'queue created' : 'queue found', {
    event: queue.created ? 'queue_created' : 'queue_found',
    queue: name,
    maxmsgs: queue.maxmsgs,
    msgsize: queue.msgsize,
    curmsgs: queue.curmsgs,
  });
  return queue;
}

/** Tries until there is room for the queue. The reason is in `/readyz`, and in one log record. */
async function openWithRoom<T extends WriteEnd | ReadEnd>(
  options: QueueWriterOptions<T>,
): Promise<T> {
  const { name, log, open, ready, failures, stopping } = options;
  for (let attempt = 0; ; attempt++) {
    try {
      return await open();
    } catch (error) {
      const failure = queueFailure(error);
      if (!isPassing(error)) throw failure;
      const { message } = failure as Error;
      ready.fail(message);
      failures.inc();
      if (attempt === 0) {
        const fields = { event: 'queue_unavailable', queue: name, error: message };
        log.error('there is no room for the queue, trying again', fields);
      }
    }
    await pause(fullJitter(attempt, { base: 200, cap: 5000 }), stopping);
    stopping.throwIfAborted();
  }
}
