import { parseSemaphoreKey, Semaphore, statSegment } from '@sidekit/shared-memory';
import { absence } from './absence.ts';

/** Tests that a shared memory segment exists: one appears complete, with its size and content. */
export async function checkSegment(name: string): Promise<string | undefined> {
  return statSegment(name) === undefined ? 'there is no such segment yet' : undefined;
}

/** Tests that a set of System V semaphores exists; their values are not changed. */
export async function checkSemaphore(text: string): Promise<string | undefined> {
  const key = parseSemaphoreKey(text);
  if (key === undefined) return 'there is no file for its key yet';
  try {
    await Semaphore.open({ key });
    return undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' ? 'there is no such semaphore yet' : absence(error);
  }
}
