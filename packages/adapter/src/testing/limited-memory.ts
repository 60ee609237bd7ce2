import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TestProcess } from '@sidekit/test-kit';

/** The hierarchies of cgroups, version 2 and 1, and the file of each that limits memory. */
const HIERARCHIES = [
  ['/sys/fs/cgroup', 'memory.max'],
  ['/sys/fs/cgroup/memory', 'memory.limit_in_bytes'],
] as const;

let count = 0;

/** A cgroup with the memory limit of a container. */
export class LimitedMemory implements Disposable {
  readonly #path: string;

  private constructor(path: string) {
    this.#path = path;
  }

  /** Creates one; undefined if this user cannot, or this machine has no memory controller. */
  static create(bytes: number): LimitedMemory | undefined {
    for (const [root, file] of HIERARCHIES) {
      const path = join(root, `sidekit-test-${process.pid}-${++count}`);
      try {
        mkdirSync(path);
      } catch {
        continue;
      }
      const limited = new LimitedMemory(path);
      try {
        if (existsSync(join(path, file))) {
          writeFileSync(join(path, file), String(bytes));
          return limited;
        }
      } catch {
        // A controller that is not delegated to this user.
      }
      limited[Symbol.dispose]();
    }
    return undefined;
  }

  /** Starts a program whose memory counts from its first instruction on. */
  start(command: readonly string[], env: Readonly<Record<string, string>>): TestProcess {
    const join = 'echo $$ >"$0/cgroup.procs" && exec "$@"';
    return new TestProcess('sh', ['-c', join, this.#path, ...command], { env });
  }

  /** Its processes must have ended. */
  [Symbol.dispose](): void {
    rmdirSync(this.#path);
  }
}

/** Reads the peak of a process's resident memory, in MiB (proc(5), VmHWM). */
export function peakMemory(pid = 0): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
}
