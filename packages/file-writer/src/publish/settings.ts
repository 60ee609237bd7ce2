import type { FileSystem, Owner } from '@sidekit/core';

/** Settings of everything that is written for one target. */
export interface WriteSettings {
  /** The path that readers use. */
  readonly target: string;
  /** The mode of files; executables of a tree also get `x` for everyone who has `r`. */
  readonly mode: number;
  readonly directoryMode: number;
  readonly owner: Owner | undefined;
  readonly fsync: boolean;
  /** The largest size of one version, in bytes. */
  readonly maxSize: number;
  /** The maximum number of files of one version. */
  readonly maxFiles: number;
  /** Symbolic links that lead out of a tree: refuse the version, or skip them. */
  readonly links: 'refuse' | 'skip';
  /** How many versions of a tree are kept besides the current one. */
  readonly keep: number;
  /** The minimum time to keep a version after it was replaced, in milliseconds. */
  readonly keepFor: number;
  /** Whether lines are appended to the target: then what it has already is not read. */
  readonly appends: boolean;
  readonly fileSystem: FileSystem;
}

/** Published content, and how to find out that it is still there. */
export interface Published {
  /** SHA-256 of the content; of a tree, over its paths, modes and contents. */
  readonly digest: string;
  readonly size: number;
  /** The state of the target by lstat(2) or readlink(2). */
  readonly trace: string;
}

/** The result of publishing; `changed` is false if the target had the same content already. */
export interface Outcome extends Published {
  readonly changed: boolean;
  /** How many links were skipped, see WriteSettings.links. */
  readonly skippedLinks?: number;
  /** Whether the kernel keeps readers of another user from following the link of a tree. */
  readonly protectedLink?: boolean;
}
