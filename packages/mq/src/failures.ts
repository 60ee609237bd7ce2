import { ExitCode, ExpectedError } from '@sidekit/core';
import { PosixMQError } from '@sidekit/posix-mq';

/**
 * A failed queue operation as the sentence that ends the program: exit code 64 where the options
 * ask for what the kernel does not allow, else 70.
 */
export function queueFailure(error: unknown): unknown {
  if (!(error instanceof PosixMQError)) return error;
  const code = error.code === 'EINVAL' ? ExitCode.usage : ExitCode.internal;
  return new ExpectedError(
    error.message
      .replace('leave out exclusive, or unlink it first', 'remove it first')
      .replace('open it with create', 'start the producer'),
    code,
    { cause: undefined },
  );
}

/** A failed file operation as a sentence: what, which file, why, what to do. */
export function fileFailure(what: string, path: string, error: unknown): ExpectedError {
  const { code = '', message } = error as NodeJS.ErrnoException;
  const remedy = REMEDIES[code];
  return new ExpectedError(`${what} ${path}: ${message}${remedy ? `: ${remedy}` : ''}`);
}

const REMEDIES: Readonly<Record<string, string>> = {
  ENOENT: 'check the path, and that the volume is mounted there',
  EACCES: 'give the container’s user access, for a volume with fsGroup',
  EROFS: 'mount a volume that can be written there',
  ENOTDIR: 'a part of the path is a file',
  EISDIR: 'give a file, not a directory',
};
