import { fstatSync, readlinkSync } from 'node:fs';
import { ExitCode, ExpectedError } from '@sidekit/core';
import type { Globs } from '../tail/glob.ts';

/**
 * Refuses a standard output that is among the files that are read: the adapter would read its own
 * records without an end.
 * @throws {ExpectedError} with the remedy.
 */
export function refuseOwnOutput(globs: Globs): void {
  let path: string;
  try {
    if (!fstatSync(1).isFile()) return;
    path = readlinkSync('/proc/self/fd/1');
  } catch {
    // It is closed, or there is no /proc: nothing to compare.
    return;
  }
  if (!globs.readFrom(path)) return;
  throw new ExpectedError(
    `standard output goes to ${path}, which is among the files that are read: write to another directory, or leave it out with --exclude`,
    ExitCode.usage,
  );
}
