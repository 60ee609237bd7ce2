import { readFileSync } from 'node:fs';

/**
 * Turns SIGINT and SIGTERM into an AbortSignal, so that what was started is removed before the
 * process ends. Children are terminated: a terminal's Ctrl-C has reached them already, but a
 * SIGTERM came to this process alone. Disposing it restores the default.
 */
export class Interruption implements Disposable {
  readonly #controller = new AbortController();
  readonly #handler = (name: NodeJS.Signals) => this.#interrupt(name);
  /** While it is set, children are left alone, and it is printed. */
  cleanup: string | undefined;
  /** The signal that came first. */
  name: NodeJS.Signals | undefined;

  constructor() {
    process.on('SIGINT', this.#handler).on('SIGTERM', this.#handler);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** 130 or 143 after a signal, as a shell reports it. */
  get exitCode(): number | undefined {
    return this.name === undefined ? undefined : this.name === 'SIGINT' ? 130 : 143;
  }

  [Symbol.dispose](): void {
    process.off('SIGINT', this.#handler).off('SIGTERM', this.#handler);
  }

  #interrupt(name: NodeJS.Signals) {
    if (this.cleanup !== undefined) return console.log(`  ${this.cleanup}`);
    this.name ??= name;
    this.#controller.abort();
    for (const pid of children()) terminate(pid);
  }
}

/** Returns the processes that this one started, if the system says (Linux). */
function children(): number[] {
  try {
    const path = `/proc/${process.pid}/task/${process.pid}/children`;
    return readFileSync(path, 'utf8').split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

function terminate(pid: number) {
  try {
    process.kill(pid, 'SIGTERM');
  } catch {}
}
