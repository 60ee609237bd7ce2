import { readFileSync } from 'node:fs';

/** The interruptions that are in use: while there is one, it decides how the process ends. */
let inUse = 0;

/** The exit code of the first signal that an interruption has taken. */
let taken: number | undefined;

/**
 * Returns 130 or 143 if a signal has interrupted this process: then what failed did so because its
 * child ended by the same Ctrl-C, and needs no message. A signal that came while a child was waited for
 * synchronously is handled only now.
 */
export async function interruptedCode(): Promise<number | undefined> {
  await new Promise((resolve) => setImmediate(resolve));
  return taken;
}

/**
 * Lets SIGINT and SIGTERM end the process, and its children, by `process.exit`: what is removed at
 * the exit, such as temporary folders, would outlive the default action of a signal.
 */
export function exitOnSignals(): void {
  for (const [name, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    process.on(name, () => {
      if (inUse > 0) return;
      for (const pid of children()) terminate(pid);
      process.exit(code);
    });
  }
}

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
    inUse++;
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
    inUse--;
    process.off('SIGINT', this.#handler).off('SIGTERM', this.#handler);
  }

  #interrupt(name: NodeJS.Signals) {
    if (this.cleanup !== undefined) return console.log(`  ${this.cleanup}`);
    this.name ??= name;
    taken ??= this.exitCode;
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
