import { basename, dirname, join } from 'node:path';
import { isTemporaryOf, monotonic, temporaryPath } from '@sidekit/core';
import type { WriteSettings } from './settings.ts';

/** `<number>.<digest>[.<label>]`: the number orders versions, independent of the clock. */
const VERSION = /^(\d{6,15})\.([0-9a-f]{64})(?:\.[\w.-]+)?$/;

/** Returns the directory with the versions of a tree: next to the link, so that it can be relative. */
export function versionsDirectory(target: string): string {
  return join(dirname(target), `.${basename(target)}.versions`);
}

export function versionName(number: number, digest: string, label: string | undefined): string {
  return [String(number).padStart(6, '0'), digest, ...(label ? [label] : [])].join('.');
}

/** Returns the digest in the name of a version; undefined if it is not such a name. */
export function digestOf(name: string): string | undefined {
  return VERSION.exec(name)?.[2];
}

/** Lists the names of all versions, oldest first. */
export async function listVersions({ target, fileSystem }: WriteSettings): Promise<string[]> {
  const names = await fileSystem.readdir(versionsDirectory(target)).catch(() => []);
  return names.filter((name) => VERSION.test(name)).toSorted((a, b) => numberOf(a) - numberOf(b));
}

export function numberOf(name: string): number {
  return Number(VERSION.exec(name)?.[1] ?? 0);
}

/**
 * Removes old versions: all but the current one, the `keep` newest others, and those that were
 * current less than `keepFor` ago, since a slow reader may have resolved the link just before.
 * @param replaced the monotonic times at which versions were first seen replaced: the clock of the
 *   node may be set back. A restart counts from its own first replacement.
 */
export async function prune(
  current: string,
  settings: WriteSettings,
  replaced: Map<string, number>,
): Promise<void> {
  const { target, keep, keepFor, fileSystem } = settings;
  const all = await listVersions(settings);
  const others = all.filter((name) => name !== current);
  for (const name of replaced.keys()) if (!others.includes(name)) replaced.delete(name);
  for (const name of others) if (!replaced.has(name)) replaced.set(name, monotonic());
  for (const name of others.slice(0, Math.max(0, others.length - keep))) {
    if (monotonic() - (replaced.get(name) ?? 0) < keepFor) return;
    // Renamed first, so that an incomplete version never has the name of a version.
    const removed = temporaryPath(join(versionsDirectory(target), basename(target)));
    await fileSystem.rename(join(versionsDirectory(target), name), removed);
    await fileSystem.rm(removed, { recursive: true, force: true });
  }
}

/**
 * Removes leftovers of a crash: temporary files, links and directories of this target, never those
 * of another target or writer.
 * @returns how many there were.
 */
export async function sweep({ target, fileSystem }: WriteSettings): Promise<number> {
  let swept = 0;
  for (const directory of [dirname(target), versionsDirectory(target)]) {
    for (const name of await fileSystem.readdir(directory).catch(() => [])) {
      if (!isTemporaryOf(name, target)) continue;
      await fileSystem.rm(join(directory, name), { recursive: true, force: true });
      swept++;
    }
  }
  return swept;
}
