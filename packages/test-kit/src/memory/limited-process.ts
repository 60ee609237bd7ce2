import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../eventually.ts';
import { type ProcessOptions, TestProcess } from '../process.ts';

const ROOT = '/sys/fs/cgroup';

/** The files of a memory cgroup, of version 1 or 2 (cgroups(7)). */
interface Files {
  /** The mount point that a container sees its own cgroup at. */
  readonly root: string;
  readonly limit: string;
  /** Has a line `oom_kill N`. */
  readonly events: string;
}

const V1: Files = {
  root: join(ROOT, 'memory'),
  limit: 'memory.limit_in_bytes',
  events: 'memory.oom_control',
};
const V2: Files = { root: ROOT, limit: 'memory.max', events: 'memory.events' };

let serial = 0;

/** Why no process can get a memory limit here; false if it can. */
export const missingMemoryLimits: string | false = (() => {
  if (process.getuid?.() !== 0) return 'a memory limit needs root';
  try {
    const directory = makeCgroup();
    rmdirSync(directory);
    return false;
  } catch (error) {
    return `no memory cgroup can be made: ${(error as Error).message}`;
  }
})();

export interface LimitOptions extends ProcessOptions {
  /** In bytes; the kernel kills the program when it needs more. */
  readonly limit: number;
  /** A command that runs the rest of its line in other namespaces. */
  readonly enter?: readonly string[];
}

/** A program with the memory limit of a container. */
export class LimitedProcess extends TestProcess {
  readonly #directory: string;

  constructor(command: readonly string[], { limit, enter = [], ...options }: LimitOptions) {
    const { root, limit: file } = version();
    const directory = makeCgroup();
    writeFileSync(join(directory, file), `${limit}`);
    // As in a container, the program sees its own cgroup at the mount point.
    const script = `echo $$ > "$0/cgroup.procs" && mount --bind "$0" ${root} && exec "$@"`;
    const line = [...enter, 'unshare', '--mount', 'sh', '-c', script, directory, ...command];
    super(line[0]!, line.slice(1), options);
    this.#directory = directory;
  }

  /** How many processes the kernel has killed because there is no memory. */
  get kills(): number {
    const text = readFileSync(join(this.#directory, version().events), 'utf8');
    return Number(/^oom_kill (\d+)/m.exec(text)?.[1]);
  }

  /** The most memory that the program has had in use at once (VmHWM of proc(5)), in bytes. */
  get peak(): number {
    const status = readFileSync(`/proc/${this.child.pid}/status`, 'utf8');
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await super[Symbol.asyncDispose]();
    // The kernel lets go of the ended process a moment later.
    const remove = () => {
      rmdirSync(this.#directory);
      return true;
    };
    await eventually(remove, { what: 'an empty cgroup' });
  }
}

function version(): Files {
  return existsSync(join(ROOT, 'cgroup.controllers')) ? V2 : V1;
}

function makeCgroup(): string {
  const files = version();
  if (files === V2) writeFileSync(join(ROOT, 'cgroup.subtree_control'), '+memory');
  const directory = join(files.root, `sidekit-test-${process.pid}-${serial++}`);
  mkdirSync(directory);
  if (existsSync(join(directory, files.limit))) return directory;
  rmdirSync(directory);
  throw new Error(`${files.root} has no memory controller`);
}
