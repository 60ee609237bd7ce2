import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Ticks a second in /proc (sysconf(_SC_CLK_TCK)): 100 on every architecture of Linux. */
const TICKS = 100;

/**
 * Returns how long a process has run, in milliseconds; undefined if it has ended, or is none of this
 * machine: with an engine in a virtual machine it is not.
 */
export function elapsed(pid: number): number | undefined {
  try {
    // After the name, which may hold anything: field 22 is the start, in ticks after the boot.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
    const [uptime] = readFileSync('/proc/uptime', 'utf8').split(' ');
    const ms = Number(uptime) * 1000 - (Number(fields[19]) * 1000) / TICKS;
    return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Returns whether a process has ended or is ending: the kernel takes its memory away first, and
 * with it the link to its program; `undefined` if this machine does not show it.
 */
export function isEnding(pid: number): boolean | undefined {
  try {
    readlinkSync(`/proc/${pid}/exe`);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? true : undefined;
  }
}

/**
 * Whether a process of this machine belongs to a container, by its control group. An engine in a virtual
 * machine, or in another process namespace, has other numbers: here they mean somebody else's process.
 */
export function isOf(container: string, pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cgroup`, 'utf8').includes(container);
  } catch {
    return false;
  }
}

/** Kills a process and all its descendants, as far as this user may. */
export function killTree(pid: number): void {
  // Stopped first, so that it starts nothing more meanwhile.
  send(pid, 'SIGSTOP');
  const children = childrenOf(pid);
  send(pid, 'SIGKILL');
  for (const child of children) killTree(child);
}

/** Returns the children of a process, whichever of its threads started them. */
export function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((thread) => {
      const text = readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8');
      return text.split(' ').filter(Boolean).map(Number);
    });
  } catch {
    return [];
  }
}

function send(pid: number, signal: NodeJS.Signals) {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended, or belongs to somebody else.
  }
}
