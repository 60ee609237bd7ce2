import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A memory cgroup of its own (version 1 or 2), for processes that are moved into it. */
export class MemoryLimit implements Disposable {
  readonly #directory: string;

  readonly #onSignal = (signal: NodeJS.Signals) => {
    this[Symbol.dispose]();
    process.kill(process.pid, signal);
  };

  private constructor(directory: string) {
    this.#directory = directory;
    process.once('SIGINT', this.#onSignal).once('SIGTERM', this.#onSignal);
  }

  /** Creates one; undefined if this machine does not let us. @param bytes the limit. */
  static create(bytes: number): MemoryLimit | undefined {
    for (const [root, file] of [
      ['/sys/fs/cgroup/memory', 'memory.limit_in_bytes'],
      ['/sys/fs/cgroup', 'memory.max'],
    ] as const) {
      const directory = join(root, `sidekit-bench-${process.pid}-${count++}`);
      try {
        mkdirSync(directory);
        if (existsSync(join(directory, file))) {
          writeFileSync(join(directory, file), String(bytes));
          return new MemoryLimit(directory);
        }
        rmdirSync(directory);
      } catch {}
    }
    return undefined;
  }

  /** The command that runs another one within the limit. */
  get command(): readonly string[] {
    return ['sh', '-c', `echo $$ > ${this.#directory}/cgroup.procs; exec "$@"`, 'sh'];
  }

  [Symbol.dispose](): void {
    process.off('SIGINT', this.#onSignal).off('SIGTERM', this.#onSignal);
    this.#remove();
  }

  /** Ends what still runs within the limit, and removes it. */
  #remove() {
    const file = join(this.#directory, 'cgroup.procs');
    for (let tries = 0; tries < 100; tries++) {
      try {
        for (const pid of readFileSync(file, 'utf8').split('\n').filter(Boolean))
          process.kill(Number(pid), 'SIGKILL');
        rmdirSync(this.#directory);
        return;
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'ENOENT') return;
        // The processes need a moment to end.
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
      }
    }
  }
}

let count = 0;
