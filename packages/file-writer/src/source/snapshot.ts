import type { Stats } from 'node:fs';
import { lstat, readdir, readlink, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../failure.ts';
import { bytesOf } from '../io/bytes.ts';

/** A further change within this time may leave the same time stamp. */
const RACY_MS = 2000;

export interface Found {
  /** Relative to the root, one character per byte; empty if the root is a file. */
  readonly path: string;
  readonly stats: Stats;
  /** The target of a symbolic link. */
  readonly link?: string;
}

/** The status (stat(2)) of a file, or of everything in a directory, at one time. */
export interface Snapshot {
  readonly root: string;
  readonly directory: boolean;
  readonly found: readonly Found[];
  /** How many FIFOs, sockets and devices there are. */
  readonly others: number;
  /** Equal if nothing has changed. */
  readonly fingerprint: string;
  /** Whether something changed so recently that a further change could go unnoticed. */
  readonly racy: boolean;
}

/**
 * Reads the status of a path. In a ConfigMap or Secret volume it reads the version behind the
 * `..data` link, which the kubelet replaces in one step, and skips the kubelet's own names.
 */
export async function takeSnapshot(path: string, maxFiles: number): Promise<Snapshot> {
  const own = await stat(path);
  const directory = own.isDirectory();
  const root = directory ? await versionRoot(path) : await realpath(path);
  if (!directory && !own.isFile()) {
    throw new Failure(
      'not_a_file',
      `${path} is neither a file nor a directory, but a FIFO, socket or device: give another path`,
    );
  }
  const others: string[] = [];
  const found = directory ? await list(root, maxFiles, others) : [{ path: '', stats: own }];
  const lines = found.map(
    ({ path, link = '', stats: { dev, ino, size, mtimeMs, ctimeMs, mode } }) =>
      [path, link, dev, ino, size, mtimeMs, ctimeMs, mode].join('\0'),
  );
  const now = Date.now();
  return {
    root,
    directory,
    found,
    others: others.length,
    fingerprint: [root, ...lines].join('\n'),
    // A time in the future says that the clock was set back: a further change has another one.
    racy: found.some(({ stats }) => Math.abs(now - stats.ctimeMs) < RACY_MS),
  };
}

async function versionRoot(path: string): Promise<string> {
  try {
    return await realpath(join(path, '..data'));
  } catch {
    return await realpath(path);
  }
}

async function list(root: string, maxFiles: number, others: string[]): Promise<Found[]> {
  const found: Found[] = [];
  const descend = async (directory: string) => {
    const names = await readdir(bytesOf(root, directory), 'latin1');
    for (const name of names.toSorted()) {
      if (name.startsWith('..')) continue;
      const path = directory === '' ? name : `${directory}/${name}`;
      const stats = await lstat(bytesOf(root, path));
      if (stats.isDirectory()) await descend(path);
      else if (stats.isFile()) found.push({ path, stats });
      else if (stats.isSymbolicLink()) {
        found.push({ path, stats, link: await readlink(bytesOf(root, path), 'latin1') });
      } else {
        others.push(path);
      }
      if (found.length <= maxFiles) continue;
      throw new Failure(
        'too_large',
        `${root} has more than ${maxFiles} files: raise --max-files, or mirror a part of it`,
      );
    }
  };
  await descend('');
  return found;
}
