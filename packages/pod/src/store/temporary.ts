import { randomUUID } from 'node:crypto';
import { join } from 'node:path';

/** Names of what a command removes again; with its PID, so that the next one knows what was left. */
const NAME = /^temporary-(\d+)-/;

/** Returns a new path in a store for something that only this process knows. */
export function temporaryPath(root: string, name: string): string {
  return join(root, `temporary-${process.pid}-${randomUUID()}-${name}`);
}

/** Whether a name is that of something whose command has ended. */
export function isLeftover(name: string): boolean {
  const [, pid] = NAME.exec(name) ?? [];
  return pid !== undefined && !isAlive(Number(pid));
}

/** Whether a process of this user, the only one of a store, has this PID. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
