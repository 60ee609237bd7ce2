/** Starts to wait for something, calls back when it happens, and returns a function that cancels. */
export type Start = (done: () => void) => () => void;

/** Resolves when the first of several things happens, and cancels the others. */
export function firstOf(...starts: readonly Start[]): Promise<void> {
  return new Promise((resolve) => {
    const cancels: (() => void)[] = [];
    let ended = false;
    const done = () => {
      if (ended) return;
      ended = true;
      for (const cancel of cancels) cancel();
      resolve();
    };
    for (const start of starts) {
      if (!ended) cancels.push(start(done));
    }
    if (ended) for (const cancel of cancels) cancel();
  });
}

/** Happens after `ms` milliseconds. */
export function after(ms: number): Start {
  return (done) => {
    const timer = setTimeout(done, ms);
    return () => clearTimeout(timer);
  };
}

/** Happens when a signal aborts, at once if it has. */
export function aborted(signal: AbortSignal): Start {
  return (done) => {
    if (signal.aborted) {
      done();
      return () => {};
    }
    signal.addEventListener('abort', done, { once: true });
    return () => signal.removeEventListener('abort', done);
  };
}

/** Happens when a promise settles; its value or error is left to whoever awaits it. */
export function settled(promise: Promise<unknown>): Start {
  return (done) => {
    promise.then(done, done);
    return () => {};
  };
}

/** Wakes every waiter, any number of times. */
export class Bell {
  readonly #waiting = new Set<() => void>();

  ring(): void {
    const all = [...this.#waiting];
    this.#waiting.clear();
    for (const done of all) done();
  }

  readonly rung: Start = (done) => {
    this.#waiting.add(done);
    return () => this.#waiting.delete(done);
  };
}
