import type { FileSystem, Owner } from '@sidekit/core';

/** How content is written. */
export interface WriteSettings {
  /** The path that readers use. */
  readonly target: string;
  /** The mode of files; executables of a tree also get the x where they have the r. */
  readonly mode: number;
  readonly directoryMode: number;
  readonly owner: Owner | undefined;
  readonly fsync: boolean;
  /** The most bytes of one version. */
  readonly maxSize: number;
  /** The most files of one version. */
  readonly maxFiles: number;
  /** How many versions of a tree stay beside the current one. */
  readonly keep: number;
  /** How long a version stays at least after it was replaced, in milliseconds. */
  readonly keepFor: number;
  readonly fileSystem: FileSystem;
}

/** What was published, and how to see that it is still there. */
export interface Published {
  /** SHA-256 of the content; of a tree, over its paths, modes and contents. */
  readonly digest: string;
  readonly size: number;
  /** What lstat(2) or readlink(2) says of the target. */
  readonly trace: string;
}

/** What publishing did; `changed` is false where the same content was there already. */
export interface Outcome extends Published {
  readonly changed: boolean;
}
