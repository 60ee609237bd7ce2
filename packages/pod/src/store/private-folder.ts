import { chmodSync, lstatSync, mkdirSync, realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import { ExpectedError, errorText } from '@sidekit/core/tool';

/**
 * Creates a folder that only this user can enter (mode 0700), or checks that an existing one is:
 * it holds Secrets and writable volumes. A folder that somebody else owns or prepared is refused,
 * and so is one below a folder in which others can rename it (sshd checks home folders likewise).
 * @throws {ExpectedError} with the reason and the remedy.
 */
export function privateFolder(path: string): void {
  const uid = process.getuid?.();
  const missing: string[] = [];
  let existing = path;
  while (isMissing(existing)) {
    missing.unshift(existing);
    existing = dirname(existing);
  }
  if (missing.length === 0) checkOwn(path, uid);
  checkParents(missing.length === 0 ? dirname(path) : existing, uid);
  for (const folder of missing) create(folder, uid);
}

function isMissing(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) === undefined;
  } catch (error) {
    throw refused(path, `cannot be reached (${errorText(error)})`);
  }
}

function create(folder: string, uid: number | undefined) {
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    // Created by somebody else since the check: checked like any other.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST')
      throw refused(folder, `cannot be created (${errorText(error)})`);
  }
  checkOwn(folder, uid);
}

function checkOwn(path: string, uid: number | undefined) {
  const { mode, uid: owner } = lstatSync(path);
  if ((mode & 0o170000) !== 0o040000) throw refused(path, 'is not a folder');
  if (uid === undefined) return;
  if (owner !== uid) throw refused(path, `belongs to UID ${owner}`);
  if ((mode & 0o022) !== 0) throw refused(path, 'can be written by other users');
  if ((mode & 0o077) !== 0) chmodSync(path, 0o700);
}

/** Every parent must belong to root or this user, and be closed to other writers or sticky. */
function checkParents(folder: string, uid: number | undefined) {
  if (uid === undefined) return;
  for (let parent = realpathSync(folder); ; parent = dirname(parent)) {
    const { mode, uid: owner } = lstatSync(parent);
    if (owner !== 0 && owner !== uid) throw refused(parent, `belongs to UID ${owner}`);
    if ((mode & 0o022) !== 0 && (mode & 0o1000) === 0) {
      throw refused(parent, 'can be written by other users');
    }
    if (parent === dirname(parent)) return;
  }
}

function refused(path: string, reason: string): ExpectedError {
  return new ExpectedError(
    `${path} ${reason}: pod keeps Secrets below a folder that only you can enter; remove it, or set SIDEKIT_POD_DIR to a folder of your own`,
  );
}
