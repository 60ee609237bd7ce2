import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  realpathSync,
} from 'node:fs';
import { join } from 'node:path';
import { ExpectedError, errorText } from '@sidekit/core/tool';

/** O_PATH (open(2), Linux): a descriptor that only names a file. Node has no constant for it. */
const O_PATH = 0o10000000;
const FOLDER = O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW;
const ANY = O_PATH | constants.O_NOFOLLOW;

/** Mode and group of the folders that are created on the way. */
export interface NewFolders {
  readonly mode: number;
  readonly group: number | undefined;
}

/**
 * Opens a path below a folder whose content a container may change at any moment. Links are
 * resolved once and must stay inside; then every part is opened from the descriptor of the one
 * before it, without following links, so that a part that is replaced by a link meanwhile fails
 * (kubelet: doSafeOpen in pkg/volume/util/subpath, CVE-2021-25741). Missing folders are created.
 * Linux only.
 * @returns a descriptor (O_PATH) that the caller closes.
 * @throws {ExpectedError} if the path leads out of the folder or cannot be opened.
 */
export function openInside(root: string, path: string, created: NewFolders): number {
  const base = realpathSync(root);
  let descriptor = openSync(base, FOLDER);
  try {
    const parts = resolveInside(base, path);
    for (const [index, part] of parts.entries()) {
      const last = index === parts.length - 1;
      const next = openPart(descriptor, part, last ? ANY : FOLDER, created);
      closeSync(descriptor);
      descriptor = next;
    }
    if (fstatSync(descriptor).isSymbolicLink()) throw new Error('its last part became a link');
    return descriptor;
  } catch (error) {
    closeSync(descriptor);
    throw new ExpectedError(`subPath ${path} cannot be opened in its volume: ${errorText(error)}`);
  }
}

/** Resolves the links of a path, and returns its parts below `base`. */
function resolveInside(base: string, path: string): string[] {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw new Error('".." leads out of the volume');
  for (let known = parts.length; ; known--) {
    const real = realPath(join(base, ...parts.slice(0, known)));
    if (real === undefined) continue;
    if (real !== base && !real.startsWith(`${base}/`))
      throw new Error('it leads out of the volume');
    const inside = real.slice(base.length).split('/').filter(Boolean);
    return [...inside, ...parts.slice(known)];
  }
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** openat(2): the path below `/proc/self/fd` starts at the open folder itself. */
function openPart(parent: number, part: string, flags: number, created: NewFolders): number {
  const path = `/proc/self/fd/${parent}/${part}`;
  try {
    return openSync(path, flags);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  mkdirSync(path, { mode: 0o700 });
  const folder = openSync(path, FOLDER);
  // Through its descriptor: the name may be a link by now.
  if (created.group !== undefined) chownSync(`/proc/self/fd/${folder}`, 0, created.group);
  chmodSync(`/proc/self/fd/${folder}`, created.mode);
  return folder;
}
