import { type Condition, type Log, monotonic, PollingWatch, pause } from '@sidekit/core';
import { type OpenOptions, PosixMQ, type PosixMQError, QUEUE_DIRECTORY } from '@sidekit/posix-mq';
import { queueFailure } from './failures.ts';
import { Bell } from './first-of.ts';

export interface OutletOptions {
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
 * A queue as its maker has it: made where it does not exist, and made anew where its name was
 * removed meanwhile. An open queue works on without its name, but nobody else finds it.
 */
export class Outlet {
  readonly #options: OutletOptions;
  readonly #watch: PollingWatch;
  /** Rings when the queue was removed. */
  readonly changed = new Bell();
  queue: PosixMQ;
  /** Whether the name no longer leads to the open queue. */
  removed = false;

  private constructor(options: OutletOptions, queue: PosixMQ) {
    this.#options = options;
    this.queue = queue;
    this.#watch = new PollingWatch({
      directories: [QUEUE_DIRECTORY],
      interval: options.checkInterval,
      poll: () => void this.check(),
      log: options.log,
    });
  }

  /** @throws {ExpectedError} in words where the queue cannot be had. */
  static async open(options: OutletOptions): Promise<Outlet> {
    const queue = await openOrCreate(options);
    options.ready.pass();
    return new Outlet(options, queue);
  }

  /** Looks whether the queue still has its name. */
  check(): boolean {
    if (!this.removed && this.queue.identity().links === 0) {
      this.removed = true;
      this.#options.log.warn('the queue was removed', { queue: this.#options.name });
      this.#options.ready.fail(`queue ${this.#options.name} was removed`);
      this.changed.ring();
    }
    return this.removed;
  }

  /** Makes the queue anew and returns the old one, still open. */
  async replace(): Promise<PosixMQ> {
    const old = this.queue;
    this.queue = await openOrCreate(this.#options);
    this.removed = false;
    this.#options.ready.pass();
    return old;
  }

  /**
   * Makes the queue anew and brings over, in order, what nobody took out of the old one: but
   * first leaves it to a consumer that has the old one open, as long as that takes some out.
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
    if (moved > 0) this.#options.log.info('messages brought over to the new queue', { moved });
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

async function openOrCreate(options: OutletOptions): Promise<PosixMQ> {
  const { name, mode, maxmsgs, msgsize, log } = options;
  const how: OpenOptions = { name, mode, maxmsgs, msgsize, create: true };
  let queue: PosixMQ;
  try {
    // Reading as well, so that messages can be brought over; another's queue may not allow it.
    queue = await PosixMQ.open(how).catch((error: PosixMQError) => {
      if (error.code === 'EACCES') return PosixMQ.open({ ...how, access: 'write' });
      throw error;
    });
  } catch (error) {
    throw queueFailure(error);
  }
  log.info(queue.created ? 'queue made' : 'queue found', {
    queue: name,
    maxmsgs: queue.maxmsgs,
    msgsize: queue.msgsize,
    curmsgs: queue.curmsgs,
  });
  return queue;
}
