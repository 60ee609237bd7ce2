/**
 * koffi's binding of libuv's uv_poll_t, which epoll wakes: no thread, no timer. Its callback
 * gets libuv's status (negative if polling failed) before the events.
 */
export interface PollHandle {
  start(interest: Interest, callback: (status: number, events: Interest) => void): void;
  stop(): void;
  close(): void;
}

interface Interest {
  readonly readable: boolean;
  readonly writable: boolean;
}

type Direction = 'readable' | 'writable';

/** Waits for one descriptor to become readable or writable, for any number of callers. */
export class Readiness {
  readonly #open: () => PollHandle;
  readonly #waiting = {
    readable: new Set<(ready: boolean) => void>(),
    writable: new Set<(ready: boolean) => void>(),
  };
  #handle: PollHandle | undefined;
  #armed = '';
  #closed = false;

  constructor(open: () => PollHandle) {
    this.#open = open;
  }

  /**
   * Calls back once: with true when the descriptor is ready, in the next turn if it is already;
   * with false when the queue is closed first. Returns a function that cancels.
   */
  wait(direction: Direction, callback: (ready: boolean) => void): () => void {
    const waiting = this.#waiting[direction];
    if (this.#closed) queueMicrotask(() => callback(false));
    else waiting.add(callback);
    this.#arm();
    return () => {
      if (waiting.delete(callback)) this.#arm();
    };
  }

  /** Waits as `wait` does; resolves to false if `signal` aborts or the queue is closed first. */
  promise(direction: Direction, signal?: AbortSignal): Promise<boolean> {
    if (this.#closed || signal?.aborted) return Promise.resolve(false);
    return new Promise((resolve) => {
      const aborted = () => {
        cancel();
        resolve(false);
      };
      const cancel = this.wait(direction, (ready) => {
        signal?.removeEventListener('abort', aborted);
        resolve(ready);
      });
      signal?.addEventListener('abort', aborted, { once: true });
    });
  }

  close(): void {
    this.#closed = true;
    this.#handle?.close();
    this.#handle = undefined;
    for (const direction of ['readable', 'writable'] as const) this.#wake(direction, false);
  }

  /** Watches only the directions that somebody waits for: epoll is level-triggered. */
  #arm() {
    if (this.#closed) return;
    const readable = this.#waiting.readable.size > 0;
    const writable = this.#waiting.writable.size > 0;
    const wanted = `${readable}${writable}`;
    if (wanted === this.#armed) return;
    this.#armed = wanted;
    if (!readable && !writable) {
      this.#handle?.stop();
      return;
    }
    this.#handle ??= this.#open();
    // koffi calls back from libuv without a turn of JavaScript around it, so that promises would
    // not continue until something else happens: the check phase, next in the loop, is such a turn.
    this.#handle.start({ readable, writable }, (status, events) => {
      setImmediate(() => this.#ready(status, events));
    });
  }

  #ready(status: number, { readable, writable }: Interest) {
    try {
      // A status below zero wakes all: the next call on the queue reports the error.
      if (status < 0 || readable) this.#wake('readable', true);
      if (status < 0 || writable) this.#wake('writable', true);
    } finally {
      // Who is woken often waits again in the same turn: then the watch goes on, without the system
      // calls that stop and start it.
      setImmediate(() => this.#arm());
    }
  }

  #wake(direction: Direction, ready: boolean) {
    const waiting = this.#waiting[direction];
    const callbacks = [...waiting];
    waiting.clear();
    for (const callback of callbacks) callback(ready);
  }
}
