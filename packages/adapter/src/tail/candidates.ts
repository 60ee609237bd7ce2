import { byNumber } from '../state/by-number.ts';
import type { FileFacts } from './generation.ts';

export type FileStats = Omit<FileFacts, 'fd' | 'path'>;

/** A file that is not known yet, and the log to which it seems to belong. */
export interface Candidate {
  readonly path: string;
  /** The live path of its log. */
  readonly log: string;
  readonly live: boolean;
  readonly dated: boolean;
  readonly compressed: boolean;
  readonly original: string | undefined;
  readonly stats: FileStats;
}

interface BigStats {
  dev: bigint;
  ino: bigint;
  size: bigint;
  mtimeMs: bigint;
  birthtimeNs: bigint;
  isFile(): boolean;
}

/** Reads stat(2) of a regular file; undefined for anything else and on failure. */
export function factsOf(stat: () => BigStats | undefined): FileStats | undefined {
  let stats: BigStats | undefined;
  try {
    stats = stat();
  } catch {
    return undefined;
  }
  if (!stats?.isFile()) return undefined;
  return {
    inode: `${stats.dev}:${stats.ino}`,
    birth: stats.birthtimeNs,
    size: Number(stats.size),
    mtime: Number(stats.mtimeMs),
  };
}

/** Identifies a file by inode and birth time, since inodes are reused. */
export function fileIdentity({ inode, birth }: Pick<FileFacts, 'inode' | 'birth'>): string {
  return `${inode}@${birth}`;
}

/** Sorts by birth time, then by last change; of numbered siblings the higher number is older. */
export function oldestFirst(a: Candidate, b: Candidate): number {
  if (a.live !== b.live) return a.live ? 1 : -1;
  // A compressed file is created later, but keeps the time of the last change.
  if ((a.compressed || b.compressed) && a.stats.mtime !== b.stats.mtime) {
    return a.stats.mtime - b.stats.mtime;
  }
  if (a.stats.birth !== b.stats.birth) return a.stats.birth < b.stats.birth ? -1 : 1;
  if (a.stats.mtime !== b.stats.mtime) return a.stats.mtime - b.stats.mtime;
  return byNumber(b.path, a.path);
}
