import { posix } from 'node:path';
import type { TreeEntry } from '../content.ts';
import { Failure } from '../failure.ts';
import type { WriteSettings } from './settings.ts';

/**
 * Keeps a tree inside its directory: paths come from repositories and servers, and a link could
 * expose any file of the container.
 * @returns false if the entry is a link that is to be skipped.
 * @throws {Failure} naming the path.
 */
export function checkEntry(entry: TreeEntry, links: WriteSettings['links'] = 'refuse'): boolean {
  const parts = entry.path.split('/');
  if (parts.some((part) => part === '' || part === '.' || part === '..' || part.includes('\0'))) {
    throw refused(entry.path, 'is not a path inside the tree');
  }
  if (!('link' in entry)) return true;
  const led = posix.normalize(posix.join(posix.dirname(entry.path), entry.link));
  // A `..` after a name climbs from the target of a link of that name, so it is never safe.
  const climbs = /(^|\/)(?!\.\.?(\/|$))[^/]+\/(.*\/)?\.\.(\/|$)/.test(entry.link);
  if (entry.link.startsWith('/') || climbs || led === '..' || led.startsWith('../')) {
    if (links === 'skip') return false;
    throw refused(
      entry.path,
      `is a symbolic link that leads out of the tree, to ${utf8(entry.link)}; --links skip leaves such links out`,
    );
  }
  return true;
}

function refused(path: string, rule: string): Failure {
  return new Failure(
    'unsafe_path',
    `${JSON.stringify(utf8(path))} ${rule}: remove it at the source, or choose a part of it with --subpath`,
  );
}

function utf8(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString();
}
