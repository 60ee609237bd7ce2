import { type Chunks, formatSize, Sha256 } from '@sidekit/core';
import { Failure } from './failure.ts';

/** The new content that a source delivers after a change. */
export type Content = FileContent | LineContent | TreeContent;

/** The complete content of one file. */
export interface FileContent {
  readonly kind: 'file';
  readonly chunks: Chunks;
  /** The SHA-256 that it must have, in hexadecimal. */
  readonly sha256?: string | undefined;
  /** Called once it is published: only then may the source report "unchanged". */
  readonly published?: () => void;
}

/** One line for the end of a file, with its line feed. */
export interface LineContent {
  readonly kind: 'line';
  readonly text: string;
  readonly published?: () => void;
}

/** Several files that appear together. */
export interface TreeContent {
  readonly kind: 'tree';
  readonly entries: Iterable<TreeEntry> | AsyncIterable<TreeEntry>;
  /** Part of the name of the version, such as a commit; letters, digits, `.`, `_` and `-`. */
  readonly label?: string;
  readonly published?: () => void;
  /** Returns remarks on the content once it is published, each with its remedy. */
  readonly warnings?: () => readonly string[];
}

export type TreeEntry = {
  /** Relative, with slashes, without `.` and `..`; one character per byte (latin1), since names are not always UTF-8. */
  readonly path: string;
} & (
  | {
      readonly chunks: Chunks;
      readonly executable?: boolean;
      readonly sha256?: string;
      /** The file is written with mode 0440 at most. */
      readonly secret?: boolean;
    }
  /** A symbolic link to this relative path, within the tree; one character per byte. */
  | { readonly link: string }
);

/** Counts bytes or files against a limit shared by all files of one version. */
export class Allowance {
  readonly #limit: number;
  readonly #unit: 'bytes' | 'files';
  #used = 0;

  constructor(limit: number, unit: 'bytes' | 'files' = 'bytes') {
    this.#limit = limit;
    this.#unit = unit;
  }

  get used(): number {
    return this.#used;
  }

  /** @throws {Failure} if the total exceeds the limit. */
  take(amount: number): void {
    this.#used += amount;
    if (this.#used <= this.#limit) return;
    const rule =
      this.#unit === 'bytes'
        ? `is larger than ${formatSize(this.#limit)}: raise --max-size`
        : `has more than ${this.#limit} files or directories: raise --max-files`;
    throw new Failure('too_large', `the content ${rule}, or make the source smaller`);
  }
}

/** Counts and hashes chunks as they pass through. */
export class Measure {
  readonly #hash = new Sha256();
  readonly #allowance: Allowance;
  size = 0;

  constructor(allowance: Allowance) {
    this.#allowance = allowance;
  }

  async *through(chunks: Chunks): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      this.#allowance.take(chunk.length);
      this.size += chunk.length;
      this.#hash.update(chunk);
      yield chunk;
    }
  }

  /** Returns the SHA-256 of everything that passed. Call it once, at the end. */
  digest(): string {
    return this.#hash.digest();
  }
}

/** @throws {Failure} if the content does not have the pinned checksum. */
export function checkPin(actual: string, pinned: string | undefined): void {
  if (pinned === undefined || actual === pinned) return;
  throw new Failure(
    'sha256_mismatch',
    `the content has the SHA-256 ${actual}, not the pinned ${pinned}: correct --sha256, or find out who changed the content`,
  );
}
