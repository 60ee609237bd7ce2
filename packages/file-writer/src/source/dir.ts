import { realpath } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { type Chunks, errorText } from '@sidekit/core';
import type { TreeEntry } from '../content.ts';
import { Failure } from '../failure.ts';
import { bytesOf } from '../io/bytes.ts';
import { openRegularFile, readRegularFile } from '../io/regular-file.ts';
import { type Found, type Snapshot, takeSnapshot } from './snapshot.ts';
import type { Source } from './source.ts';

/** Files up to this size, in bytes, are read at once, so that several are written in parallel. */
const SMALL = 256 * 1024;

interface Options {
  readonly from: string;
  /** The target: versions within the source would contain those before them. */
  readonly target?: string | undefined;
  readonly sha256?: string | undefined;
  readonly maxFiles: number;
}

/** Mirrors a file, or a directory as one version. */
export function dirSource({ from, target, sha256, maxFiles }: Options): Source {
  let published: string | undefined;
  return {
    poll: async ({ fresh }) => {
      const before = await explained(from, () => takeSnapshot(from, maxFiles));
      if (!fresh && before.fingerprint === published) return undefined;
      const verify = async () => {
        const after = await takeSnapshot(from, maxFiles);
        if (after.fingerprint === before.fingerprint) return;
        throw new Failure('changed_meanwhile', `${from} changed while it was read`);
      };
      const common = {
        published: () => {
          published = before.racy ? undefined : before.fingerprint;
        },
      };
      if (before.directory) {
        await refuseInside(from, target);
        const warnings = () => warningsOf(before.others);
        return { kind: 'tree', entries: entries(before, verify), warnings, ...common };
      }
      return { kind: 'file', chunks: file(before, verify), sha256, ...common };
    },
  };
}

/** @throws {Failure} if the target is in the source. */
async function refuseInside(from: string, target: string | undefined): Promise<void> {
  if (target === undefined) return;
  const parent = await realpath(dirname(target)).catch(() => resolve(dirname(target)));
  if (!`${parent}/`.startsWith(`${await realpath(from)}/`)) return;
  throw new Failure(
    'unsafe_path',
    `${target} is inside ${from}, so that each version would contain those before it: give a target elsewhere`,
  );
}

async function* file({ root }: Snapshot, verify: () => Promise<void>): AsyncGenerator<Uint8Array> {
  yield* stream(Buffer.from(root));
  await verify();
}

async function* entries(
  { root, found }: Snapshot,
  verify: () => Promise<void>,
): AsyncGenerator<TreeEntry> {
  for (const one of found) {
    const { path, stats, link } = one;
    if (link !== undefined) yield { path, link };
    else yield { path, executable: (stats.mode & 0o111) !== 0, chunks: await read(root, one) };
  }
  // A mix of old and new is not a version: the next check delivers a consistent one.
  await verify();
}

async function read(root: string, { path, stats }: Found): Promise<Chunks> {
  const full = bytesOf(root, path);
  if (stats.size > SMALL) return stream(full);
  return [await explained(full, () => readRegularFile(full, SMALL))];
}

/** Reads a file in chunks. An error is one of the source, not of the target. */
async function* stream(path: Buffer): AsyncGenerator<Uint8Array> {
  const file = await explained(path, () => openRegularFile(path));
  try {
    for (;;) {
      const buffer = Buffer.allocUnsafe(64 * 1024);
      const { bytesRead } = await explained(path, () => file.read(buffer, 0, buffer.length));
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

function warningsOf(others: number): string[] {
  return others === 0 ? [] : [`${others} FIFOs, sockets or devices of the source were left out`];
}

const REASONS: Readonly<Record<string, readonly [reason: string, remedy: string]>> = {
  ENOENT: ['missing', 'mount the volume there, or correct --from'],
  ESTALE: ['missing', 'the volume was mounted again: restart the container'],
  EIO: ['input_output', 'the device failed: check the kernel log of the node'],
  ENOTDIR: ['missing', 'a part of the path is a file: correct --from'],
  EACCES: ['permission', 'this user may not read it: set defaultMode of the volume, or fsGroup'],
};

async function explained<T>(from: string | Buffer, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof Failure) throw error;
    const [reason, remedy] = REASONS[(error as NodeJS.ErrnoException).code ?? ''] ?? [
      'read',
      'see errno(3)',
    ];
    throw new Failure(reason, `${from} cannot be read (${errorText(error)}): ${remedy}`);
  }
}
