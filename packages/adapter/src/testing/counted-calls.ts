import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const NAMES = ['statSync', 'fstatSync', 'readSync', 'openSync', 'readdirSync'] as const;

/** Counts this process's calls of node:fs that read files and directories. */
export class CountedCalls implements Disposable {
  #count = 0;
  readonly #originals = new Map<string, unknown>();

  constructor() {
    const target = fs as unknown as Record<string, (...args: unknown[]) => unknown>;
    for (const name of NAMES) {
      const original = target[name]!;
      this.#originals.set(name, original);
      target[name] = (...args) => {
        this.#count++;
        return original.apply(fs, args);
      };
    }
    syncBuiltinESMExports();
  }

  /** Returns the number of calls since this was asked for last. */
  take(): number {
    const count = this.#count;
    this.#count = 0;
    return count;
  }

  [Symbol.dispose](): void {
    Object.assign(fs, Object.fromEntries(this.#originals));
    syncBuiltinESMExports();
  }
}
