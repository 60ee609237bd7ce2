import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A memory cgroup of its own (version 1 or 2), for processes that are moved into it. */
export class MemoryLimit implements Disposable {
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
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
    rmdirSync(this.#directory);
  }
}

let count = 0;
