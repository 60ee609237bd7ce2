import {
  closeSync,
  createReadStream,
  createWriteStream,
  fstatSync,
  openSync,
  readdirSync,
  unlinkSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { Transform, type TransformCallback } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress, createGunzip, createZstdDecompress } from 'node:zlib';
import { errorText, type Log } from '@sidekit/core';
import { makeDirectory } from '../state/make-directory.ts';
import { type FileStats, fileIdentity } from './candidates.ts';
import type { FileFacts } from './generation.ts';

/** Functions, so that nothing loads node:zlib before there is a compressed file. */
const DECODERS: Readonly<Record<string, () => NodeJS.ReadWriteStream>> = {
  gz: () => createGunzip(),
  zst: () => createZstdDecompress(),
  zstd: () => createZstdDecompress(),
  br: () => createBrotliDecompress(),
};
/** How long a file that cannot be unpacked may still be being written, in milliseconds. */
const PATIENCE = 60_000;

export interface UnpackerOptions {
  /** Holds the unpacked content while it is read. */
  readonly directory: string;
  /** The largest unpacked size, in bytes. */
  readonly limit: number;
  readonly log: Log;
  readonly now: () => number;
}

interface Job {
  readonly log: string;
  readonly since: number;
  readonly dropped: AbortController;
  directory: string;
  /** Whether its content was asked for since `dropUnasked` was called last. */
  asked: boolean;
  running: boolean;
  fd: number | undefined;
  failed: boolean;
}

/** Unpacks compressed rotated files to files without a name, which are read like any other. */
export class Unpacker {
  readonly #options: UnpackerOptions;
  /** By the identity of the file, which a rotation renames. */
  readonly #jobs = new Map<string, Job>();
  #started = 0;

  constructor(options: UnpackerOptions) {
    this.#options = options;
  }

  /** Whether a file of a log, or of any, is being unpacked, or was and is not taken yet. */
  isBusy(log?: string): boolean {
    for (const job of this.#jobs.values()) {
      if ((job.running || job.fd !== undefined) && (log ?? job.log) === job.log) return true;
    }
    return false;
  }

  /**
   * Returns the unpacked content of a file under the file's own identity; `pending` while it is
   * unpacked, `failed` if that is not possible. A format that cannot be unpacked is logged once.
   */
  open(path: string, log: string, stats: FileStats): FileFacts | 'pending' | 'failed' {
    const key = fileIdentity(stats);
    let job = this.#jobs.get(key);
    if (!job) {
      job = this.#newJob(log, path);
      this.#jobs.set(key, job);
    }
    job.directory = dirname(path);
    job.asked = true;
    if (job.fd !== undefined) {
      this.#jobs.delete(key);
      return { ...stats, path, fd: job.fd, size: fstatSync(job.fd).size };
    }
    if (job.failed) return 'failed';
    if (!job.running) void this.#unpack(path, job);
    return 'pending';
  }

  /**
   * Drops what is or was unpacked of files in a directory that nobody asks for any more, since they
   * were removed or need not be read: their log would wait for them forever.
   */
  dropUnasked(directory: string): void {
    for (const [key, job] of this.#jobs) {
      if (job.directory !== directory) continue;
      if (!job.asked) {
        this.#jobs.delete(key);
        job.dropped.abort();
        if (job.fd !== undefined) closeSync(job.fd);
      }
      job.asked = false;
    }
  }

  #newJob(log: string, path: string): Job {
    return {
      log,
      since: this.#options.now(),
      dropped: new AbortController(),
      directory: dirname(path),
      asked: true,
      running: false,
      fd: undefined,
      failed: false,
    };
  }

  async #unpack(path: string, job: Job): Promise<void> {
    const { directory, limit, log, now } = this.#options;
    job.running = true;
    const temporary = join(directory, `${process.pid}-${++this.#started}-${now()}`);
    try {
      const decoder = DECODERS[path.split('.').at(-1)?.toLowerCase() ?? ''];
      if (!decoder) throw new Error('its format cannot be unpacked; use gzip or zstd');
      makeDirectory(directory);
      const target = createWriteStream(temporary, { flags: 'wx', mode: 0o600 });
      const { signal } = job.dropped;
      await pipeline(createReadStream(path), decoder(), atMost(limit), target, { signal });
      if (!signal.aborted) job.fd = openSync(temporary, 'r');
    } catch (error) {
      if (job.dropped.signal.aborted) return;
      // It may still be being written; the next scan tries again.
      job.failed = now() - job.since >= PATIENCE || !(path.split('.').at(-1)! in DECODERS);
      if (job.failed) {
        log.error('a compressed log file cannot be read: what was unread of it is lost', {
          event: 'compressed_unreadable',
          path,
          error: errorText(error),
        });
      }
    } finally {
      remove(temporary);
      job.running = false;
    }
  }

  /** Closes what was unpacked and not used. */
  close(): void {
    for (const { fd } of this.#jobs.values()) if (fd !== undefined) closeSync(fd);
    this.#jobs.clear();
  }
}

/** Removes what a process that was killed has left in the directory. */
export function removeUnpacked(directory: string): void {
  try {
    for (const name of readdirSync(directory)) remove(join(directory, name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // It was never created.
  }
}

function atMost(limit: number): Transform {
  let total = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback) {
      total += chunk.length;
      if (total > limit) done(new Error(`it is larger than ${limit} bytes unpacked`));
      else done(null, chunk);
    },
  });
}
