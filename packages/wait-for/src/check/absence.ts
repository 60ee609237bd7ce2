import { ExpectedError, errorText } from '@sidekit/core';

/** The errors of connect(2), stat(2) and the resolver which mean that nothing is there. */
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
 * Why nothing is there. @throws {ExpectedError} where the error says nothing about that, such as
 * a missing permission or a name server that is silent; `--not` must not take it for "gone".
 */
export function absence(error: unknown, words: string = errorText(error)): string {
  const each = error instanceof AggregateError ? error.errors : [error];
  if (each.every(({ code }: NodeJS.ErrnoException) => ABSENT.has(code ?? ''))) return words;
  throw new ExpectedError(words);
}
