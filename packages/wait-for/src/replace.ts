import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { UsageError } from '@sidekit/core';

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
    return true;
  } catch {
    return false;
  }
}
