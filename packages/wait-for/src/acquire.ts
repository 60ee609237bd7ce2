import { Semaphore } from '@sidekit/shared-memory';

/**
 * Acquires a System V semaphore for the command: the kernel keeps what a process acquired across
 * execve(2) and gives it back when the process ends, however it ends (SEM_UNDO of semop(2)).
 * Creates the semaphore with one unit if it does not exist.
 * @returns undefined if it is acquired, else the reason, as a clause.
 */
export async function acquire(
  key: number,
  timeout: number,
  stop: AbortSignal,
  say: (line: string) => void,
): Promise<string | undefined> {
  const semaphore = await Semaphore.open({ key, create: true });
  const wait = { signal: stop, ...(timeout > 0 ? { timeout } : {}) };
  if (!semaphore.tryAcquire()) {
    say('waiting for the semaphore: another process has it');
    if (!(await semaphore.acquire(wait))) return 'another process has the semaphore';
  }
  say('the semaphore is acquired');
  return undefined;
}
