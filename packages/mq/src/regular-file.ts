import { closeSync, constants, fstatSync, openSync, statSync } from 'node:fs';

const FLAGS = {
  r: constants.O_RDONLY,
  'r+': constants.O_RDWR,
  a: constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT,
} as const;

/**
 * Opens a file without ever waiting: a FIFO would hold open(2) until its other end is opened, and
 * the event loop with it. Checked before the open and, against a swap between the two, after it.
 * @param alsoDevices accepts character devices, such as /dev/null.
 * @returns the descriptor; undefined if it is no regular file. @throws the system call's error.
 */
export function openRegularFile(
  path: string,
  mode: keyof typeof FLAGS,
  { alsoDevices = false, permissions = 0o644 } = {},
): number | undefined {
  const accepted = (stats: ReturnType<typeof fstatSync>) =>
    stats.isFile() || stats.isDirectory() || (alsoDevices && stats.isCharacterDevice());
  const before = statSync(path, { throwIfNoEntry: false });
  if (before && !accepted(before)) return undefined;
  const descriptor = openSync(path, FLAGS[mode] | constants.O_NONBLOCK, permissions);
  if (accepted(fstatSync(descriptor))) return descriptor;
  closeSync(descriptor);
  return undefined;
}
