import { stat } from 'node:fs/promises';
import { absence } from './absence.ts';

/** Tests that a path leads to a file, directory or socket. */
export async function checkFile(path: string): Promise<string | undefined> {
  try {
    await stat(path);
    return undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return absence(error, code === 'ENOENT' ? 'there is no such file yet' : undefined);
  }
}
