import { PosixMQ } from '@sidekit/posix-mq';

/** A queue is there where it can be opened for reading or writing; its messages are left alone. */
export async function checkQueue(name: string): Promise<string | undefined> {
  let denied: string | undefined;
  for (const access of ['read', 'write'] as const) {
    try {
      (await PosixMQ.open({ name, access })).close();
      return undefined;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') return 'there is no such queue yet';
      denied = message;
    }
  }
  return denied;
}
