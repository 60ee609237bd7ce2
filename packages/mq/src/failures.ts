import { ExitCode, ExpectedError } from '@sidekit/core';
import { PosixMQError } from '@sidekit/posix-mq';
import { SharedMemoryError } from '@sidekit/shared-memory';

/**
 * Turns a failed queue operation into the sentence that ends the program: exit code 64 if the
 * options ask for a queue that the kernel does not allow, else 70.
 */
export function queueFailure(error: unknown): unknown {
  if (!(error instanceof PosixMQError || error instanceof SharedMemoryError)) return error;
  const code = error.code === 'EINVAL' ? ExitCode.usage : ExitCode.internal;
  return new ExpectedError(
    error.message
      .replace('leave out exclusive, or unlink it first', 'remove it first')
      .replace('open it with create', 'start the producer'),
    code,
    { cause: undefined },
  );
}

/** Errors that end when others free something: budget, queues, descriptors, memory. */
const PASSING = new Set(['EMFILE', 'ENFILE', 'ENOSPC', 'ENOMEM']);

/** Whether a failed queue operation can succeed later without any change here. */
export function isPassing(error: unknown): boolean {
  const known = error instanceof PosixMQError || error instanceof SharedMemoryError;
  return known && PASSING.has(error.code);
}

/** Turns a failed file operation into a sentence: operation, file, reason, remedy. */
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
