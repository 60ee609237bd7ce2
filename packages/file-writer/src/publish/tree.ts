import { basename, dirname, join, posix, relative } from 'node:path';
import { Sha256, syncDirectory, temporaryPath, writeNewFile } from '@sidekit/core';
import { Allowance, checkPin, Measure, type TreeContent, type TreeEntry } from '../content.ts';
import { bytesOf } from '../io/bytes.ts';
import { explainWrite } from './explain.ts';
import type { Outcome, Published, WriteSettings } from './settings.ts';
import { checkEntry } from './tree-path.ts';
import {
  digestOf,
  listVersions,
  numberOf,
  prune,
  versionName,
  versionsDirectory,
} from './versions.ts';

/** How many files are written at the same time: as many as libuv has threads. */
const PARALLEL = 4;

/**
 * Writes several files as one version in a directory of its own, then points the target, a
 * relative symbolic link, to it by one rename(2). Readers find the complete old or new version.
 */
export async function publishTree(
  content: TreeContent,
  current: Published | undefined,
  settings: WriteSettings,
  replaced: Map<string, number>,
): Promise<Outcome> {
  const { target, fileSystem, fsync } = settings;
  const versions = versionsDirectory(target);
  await fileSystem.mkdir(versions, { recursive: true, mode: settings.directoryMode });
  const building = temporaryPath(join(versions, basename(target)));
  let name: string;
  let written: Awaited<ReturnType<typeof writeTree>>;
  try {
    written = await writeTree(building, content, settings);
    if (written.digest === current?.digest) {
      await fileSystem.rm(building, { recursive: true, force: true });
      return {
        ...current,
        ...written,
        protectedLink: await isLinkProtected(settings),
        changed: false,
      };
    }
    const newest = (await listVersions(settings)).at(-1);
    name = versionName(newest ? numberOf(newest) + 1 : 1, written.digest, content.label);
    await fileSystem.rename(building, join(versions, name));
  } catch (error) {
    // Before the removal, after which there are free inodes again.
    const explained = explainWrite(error, target);
    await fileSystem.rm(building, { recursive: true, force: true }).catch(() => {});
    throw explained;
  }
  if (fsync) await syncDirectory(versions, fileSystem);
  await pointTo(join(versions, name), settings);
  await prune(name, settings, replaced);
  const protectedLink = await isLinkProtected(settings);
  return { ...written, changed: true, protectedLink, trace: await linkTrace(settings) };
}

/** Points the target to a version: a new link, renamed over the old one. */
async function pointTo(
  version: string,
  { target, fileSystem, fsync }: WriteSettings,
): Promise<void> {
  const link = temporaryPath(target);
  await fileSystem.symlink(relative(dirname(target), version), link);
  try {
    await fileSystem.rename(link, target);
  } catch (error) {
    await fileSystem.unlink(link).catch(() => {});
    throw error;
  }
  if (fsync) await syncDirectory(dirname(target), fileSystem);
}

/**
 * Checks for a sticky directory that others may write in: with fs.protected_symlinks (proc_sys_fs(5))
 * only the owner of a link in it, and the owner of the directory, may follow the link.
 */
async function isLinkProtected({ target, fileSystem }: WriteSettings): Promise<boolean> {
  const { mode, uid } = await fileSystem.lstat(dirname(target));
  return (mode & 0o1002) === 0o1002 && uid !== process.getuid?.();
}

/** Finds the version that the target points to since an earlier run; undefined if there is none. */
export async function readPublishedTree(settings: WriteSettings): Promise<Published | undefined> {
  const trace = await linkTrace(settings);
  const digest = digestOf(basename(trace));
  if (digest === undefined) return undefined;
  const path = join(dirname(settings.target), trace);
  const there = await settings.fileSystem.lstat(path).catch(() => undefined);
  return there?.isDirectory() ? { digest, size: 0, trace } : undefined;
}

/** Reads the link; empty if there is none. */
export async function linkTrace({ target, fileSystem }: WriteSettings): Promise<string> {
  return await fileSystem.readlink(target).catch(() => '');
}

async function writeTree(root: string, content: TreeContent, settings: WriteSettings) {
  const { fileSystem, directoryMode } = settings;
  const allowance = new Allowance(settings.maxSize);
  const files = new Allowance(settings.maxFiles, 'files');
  const directories = new Set<string>();
  const lines: string[] = [];
  let skippedLinks = 0;
  const running = new Set<Promise<void>>();
  let failure: unknown;

  const addDirectory = async (path: string) => {
    if (directories.has(path)) return;
    if (path !== '.') await addDirectory(posix.dirname(path));
    await fileSystem.mkdir(bytesOf(root, path), { mode: directoryMode });
    directories.add(path);
  };
  await addDirectory('.');
  try {
    for await (const entry of content.entries) {
      files.take(1);
      if (!checkEntry(entry, settings.links)) {
        skippedLinks++;
        continue;
      }
      await addDirectory(posix.dirname(entry.path));
      const work = writeEntry(root, entry, allowance, settings).then(
        (line) => void lines.push(line),
        (error) => {
          failure ??= error;
        },
      );
      running.add(work);
      void work.then(() => running.delete(work));
      // An entry with a stream is read completely before the next is requested.
      if (running.size >= PARALLEL || !isBuffered(entry)) await Promise.all(running);
      if (failure !== undefined) throw failure;
    }
  } finally {
    await Promise.all(running);
  }
  if (failure !== undefined) throw failure;
  for (const path of directories) await finishDirectory(bytesOf(root, path), settings);
  return { digest: sha256(lines.toSorted().join('')), size: allowance.used, skippedLinks };
}

/** mkdir(2) applies the umask; readers of another UID may need the full mode. */
async function finishDirectory(path: Buffer, settings: WriteSettings): Promise<void> {
  const directory = await settings.fileSystem.open(path, 'r');
  try {
    if (settings.owner) await directory.chown(settings.owner.uid, settings.owner.gid);
    await directory.chmod(settings.directoryMode);
    if (settings.fsync) await directory.sync();
  } finally {
    await directory.close();
  }
}

/** Writes one file or link; returns its line of the digest. */
async function writeEntry(
  root: string,
  entry: TreeEntry,
  allowance: Allowance,
  settings: WriteSettings,
): Promise<string> {
  const path = bytesOf(root, entry.path);
  if ('link' in entry) {
    await settings.fileSystem.symlink(Buffer.from(entry.link, 'latin1'), path);
    return `${entry.path}\0link\0${entry.link}\0`;
  }
  const measure = new Measure(allowance);
  const mode = modeOf(entry, settings.mode);
  await writeNewFile(path, measure.through(entry.chunks), { ...settings, mode });
  const digest = measure.digest();
  checkPin(digest, entry.sha256);
  return `${entry.path}\0${mode.toString(8)}\0${digest}\0`;
}

/** Adds `x` for everyone who has `r` to executables; takes all but `r` of owner and group from secrets. */
function modeOf({ executable, secret }: Extract<TreeEntry, { chunks: unknown }>, mode: number) {
  if (secret) return (mode & 0o440) | 0o400;
  return executable ? mode | ((mode & 0o444) >> 2) : mode;
}

function isBuffered(entry: TreeEntry): boolean {
  return 'link' in entry || Array.isArray(entry.chunks);
}

function sha256(text: string): string {
  return new Sha256().update(text, 'latin1').digest();
}
