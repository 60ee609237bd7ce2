import { PosixMQ } from '@sidekit/posix-mq';
import { absence } from './absence.ts';

/**
 * Tests that a queue can be opened for reading or writing, and holds at least so many messages;
 * they are not touched.
 */
export async function checkQueue(name: string, minMessages = 0): Promise<string | undefined> {
  let refusal: unknown;
  for (const access of ['read', 'write'] as const) {
    try {
      const queue = await PosixMQ.open({ name, access });
      const count = queue.curmsgs;
      queue.close();
      return count >= minMessages ? undefined : `it holds ${count} of ${minMessages} messages`;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') return 'there is no such queue yet';
      refusal = error;
    }
  }
  return absence(refusal);
}
