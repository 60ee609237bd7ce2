import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { ExpectedError, errorText, UsageError } from '@sidekit/core';

/** Finds a command as a shell would, by its path or through PATH. @throws {UsageError} */
export function findCommand(name: string, searchPath: string): string {
  const candidates = name.includes('/')
    ? [name]
    : searchPath.split(delimiter).map((directory) => join(directory, name));
  const found = candidates.find(isExecutable);
  if (found !== undefined) return found;
  throw new UsageError([
    {
      name: 'command',
      value: name,
      rule: 'cannot be run: there is no such program',
      remedy: 'give its full path',
    },
  ]);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/**
 * Replaces this process by a program (execve(2)): the process id stays, so that signals reach it.
 * @throws {ExpectedError} if the kernel refuses it.
 */
export function replaceProcess(
  program: string,
  argv: readonly string[],
  environment: NodeJS.ProcessEnv,
): never {
  for (const stream of [process.stdout, process.stderr]) makeBlocking(stream);
  let reason = 'this system has no execve';
  try {
    process.execve?.(program, argv, environment);
  } catch (error) {
    reason = errorText(error);
  }
  throw new ExpectedError(`command "${program}" cannot be run (${reason})`);
}

/**
 * Makes a pipe blocking again: Node makes one that it writes to non-blocking. That belongs to the
 * pipe, not the process, and a command that does not expect it would lose output when the pipe is
 * full.
 */
function makeBlocking(stream: object): void {
  const { _handle } = stream as { _handle?: { setBlocking?(blocking: boolean): unknown } };
  _handle?.setBlocking?.(true);
}
