import { ExpectedError, errorText } from '@sidekit/core';

/** The errors of connect(2), stat(2) and the resolver that mean that nothing is there. */
const ABSENT = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTDOWN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
  'ENOTDIR',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
]);

/**
 * Explains why nothing is there. @throws {ExpectedError} if the error does not tell, such as a
 * missing permission or a silent name server; `--not` must not take it for "gone".
 */
export function absence(error: unknown, words: string = errorText(error)): string {
  const each = error instanceof AggregateError ? error.errors : [error];
  if (each.every(({ code }: NodeJS.ErrnoException) => ABSENT.has(code ?? ''))) return words;
  throw new ExpectedError(words);
}
