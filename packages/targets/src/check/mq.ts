import { PosixMQ } from '@sidekit/posix-mq';
import { absence } from './absence.ts';

/** Tests that a queue can be opened for reading or writing; its messages are not touched. */
export async function checkQueue(name: string): Promise<string | undefined> {
  let refusal: unknown;
  for (const access of ['read', 'write'] as const) {
    try {
      (await PosixMQ.open({ name, access })).close();
      return undefined;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') return 'there is no such queue yet';
      refusal = error;
    }
  }
  return absence(refusal);
}
