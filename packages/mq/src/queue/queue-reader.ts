import { type Condition, type Log, monotonic, PollingWatch } from '@sidekit/core';
import type { Slab } from '@sidekit/posix-mq';
import { queueFailure } from '../failures.ts';
import { aborted, Bell, firstOf } from '../first-of.ts';
import { directoryOf, openToRead, type ReadEnd } from './ends.ts';

export interface QueueReaderOptions {
  readonly name: string;
  /** In milliseconds. */
  readonly checkInterval: number;
  readonly log: Log;
  readonly ready: Condition;
  /** Called at each check of the queues, and after each change. */
  readonly onCheck?: (() => Promise<void>) | undefined;
}

/** A queue that lost its name, kept because somebody may still send to it. */
interface Retired {
  readonly queue: ReadEnd;
  used: number;
}

/** How long a queue that lost its name is kept after its last message, in milliseconds. */
const UNUSED = 2000;

/**
 * How long EACCES is tolerated, in milliseconds: the creator of a queue sets its mode right after
 * creation.
 */
const PATIENCE = 2000;

/**
 * Reads a queue: waits until somebody creates it, and follows it when its name is removed and
 * recreated. The old one is emptied first: a producer that switches sends nothing to the old queue
 * after its first message to the new one.
 */
export class QueueReader {
  readonly #options: QueueReaderOptions;
  readonly #watch: PollingWatch;
  readonly #changed = new Bell();
  #current: ReadEnd | undefined;
  #retired: Retired[] = [];
  /** Counts messages that were in the current queue before the retired ones were found empty. */
  #credit = 0;
  #failure: unknown;
  #refused: number | undefined;

  constructor(options: QueueReaderOptions) {
    this.#options = options;
    options.ready.fail(`queue ${options.name} does not exist yet`);
    this.#watch = new PollingWatch({
      directories: [directoryOf(options.name)],
      interval: options.checkInterval,
      poll: () => this.#check(),
      log: options.log,
    });
  }

  /** Resolves after a check for the queue. */
  checked(): Promise<void> {
    return this.#watch.wake();
  }

  /** The messages that wait in the queue; undefined while none is open. */
  get depth(): number | undefined {
    if (!this.#current) return undefined;
    return this.#retired.reduce((sum, { queue }) => sum + queue.curmsgs, this.#current.curmsgs);
  }

  /** The largest message that may arrive, in bytes; 0 while no queue is open. */
  get msgsize(): number {
    let size = this.#current?.msgsize ?? 0;
    for (const { queue } of this.#retired) size = Math.max(size, queue.msgsize);
    return size;
  }

  /** Receives into a slab; returns −1 if there is no message. */
  receive(slab: Slab, offset: number): number {
    if (this.#retired.length > 0) return this.#receiveInOrder(slab, offset);
    return this.#current ? this.#current.receiveInto(slab, offset) : -1;
  }

  /** Frees the room of received messages in the queue. @returns how many could not be received. */
  release(): number {
    let invalid = 0;
    for (const queue of [...this.#retired.map((one) => one.queue), this.#current]) {
      queue?.release?.();
      invalid += queue?.takeInvalid?.() ?? 0;
    }
    return invalid;
  }

  /** Resolves when there may be a message, or `stopping` aborts. @throws {ExpectedError} */
  async wait(stopping: AbortSignal): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    const queues = this.#retired.map(({ queue }) => queue);
    if (this.#current) queues.push(this.#current);
    await firstOf(
      ...queues.map((queue) => (done: () => void) => queue.whenReadable(done)),
      this.#changed.rung,
      aborted(stopping),
    );
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Removes the name of the queue. */
  unlink(): void {
    if (this.#current && this.#current.identity().links > 0) this.#current.unlink();
  }

  async close(): Promise<void> {
    await this.#watch.close();
    for (const { queue } of this.#retired) queue.close();
    this.#retired = [];
    this.#current?.close();
    this.#current = undefined;
  }

  #receiveInOrder(slab: Slab, offset: number): number {
    const current = this.#current!;
    if (this.#credit === 0) {
      const fresh = current.curmsgs;
      for (const retired of this.#retired) {
        const length = retired.queue.receiveInto(slab, offset);
        if (length === -1) continue;
        retired.used = monotonic();
        return length;
      }
      this.#credit = fresh;
    }
    if (this.#credit === 0) return -1;
    const length = current.receiveInto(slab, offset);
    // Another consumer may have been faster.
    this.#credit = length === -1 ? 0 : this.#credit - 1;
    return length;
  }

  async #check(): Promise<void> {
    this.#closeUnused();
    if (!this.#current || this.#current.identity().links === 0) await this.#open();
    await this.#options.onCheck?.();
  }

  async #open(): Promise<void> {
    const { name, log, ready } = this.#options;
    let queue: ReadEnd;
    try {
      queue = await openToRead(name);
    } catch (error) {
      this.#refuse(error);
      return;
    }
    this.#refused = undefined;
    if (this.#current) this.#retired.push({ queue: this.#current, used: monotonic() });
    log.info(this.#current ? 'queue recreated, switching to it' : 'queue open', {
      event: this.#current ? 'queue_recreated' : 'queue_open',
      queue: name,
      maxmsgs: queue.maxmsgs,
      msgsize: queue.msgsize,
      curmsgs: queue.curmsgs,
    });
    this.#current = queue;
    this.#credit = 0;
    ready.pass();
    this.#changed.ring();
  }

  #refuse(error: unknown) {
    const { name, ready } = this.#options;
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') {
      this.#refused = undefined;
      ready.fail(`queue ${name} ${this.#current ? 'was removed' : 'does not exist yet'}`);
      return;
    }
    if (code === 'EBUSY') {
      ready.fail(`queue ${name} has another consumer`);
      return;
    }
    this.#refused ??= monotonic();
    if (code === 'EACCES' && monotonic() - this.#refused < PATIENCE) return;
    this.#failure = queueFailure(error);
    this.#changed.ring();
  }

  #closeUnused() {
    const now = monotonic();
    this.#retired = this.#retired.filter(({ queue, used }) => {
      if (now - used < UNUSED || queue.curmsgs > 0) return true;
      queue.close();
      return false;
    });
  }
}
