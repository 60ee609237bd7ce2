import { type Dirent, realpathSync, statSync } from 'node:fs';
import { basename, dirname, matchesGlob, resolve } from 'node:path';
import type { DirectoryCache } from './directory-cache.ts';
import { isLeftOut, isRotatedName } from './rotated-names.ts';

const WILD = /[*?[\]{}]/;
/** Deeper trees than this are a loop of links. */
const DEEPEST = 32;

/**
 * Finds the files that globs match by walking cached listings. `*` and `?` stay within one
 * name, `**` crosses directories, `[a-z]` and `{a,b}` choose; hidden names must be written out.
 */
export class Globs {
  /** The patterns that are plain paths, whose files are expected before they exist. */
  readonly literals: readonly string[];
  /** The patterns that no file has matched yet. */
  readonly unmatched: Set<string>;
  readonly #include: readonly string[];
  readonly #exclude: readonly string[];
  readonly #own: ReadonlySet<string>;

  /** @param own paths of the adapter's own files, which `exclude` does not leave out. */
  constructor(include: readonly string[], exclude: readonly string[], own: readonly string[] = []) {
    this.#own = new Set(own.map((path) => resolve(path)));
    this.#include = [...include.map((pattern) => resolve(pattern)), ...this.#own];
    this.literals = this.#include.filter((pattern) => !WILD.test(pattern));
    this.unmatched = new Set(this.#include);
    this.#exclude = exclude.map((pattern) => (pattern.includes('/') ? resolve(pattern) : pattern));
  }

  /** Returns the paths of regular files, each once with links resolved, and the directories walked. */
  find(cache: DirectoryCache): { paths: Set<string>; walked: Set<string> } {
    const paths = new Set<string>();
    const walked = new Set<string>();
    for (const pattern of this.#include) {
      const found = new Set<string>();
      this.#walk('/', pattern.split('/').slice(1), cache, found, walked, 0);
      for (const path of found) paths.add(path);
      if (found.size > 0) this.unmatched.delete(pattern);
    }
    return { paths, walked };
  }

  /** Whether a file of this path would be read, as a log or as the rotated sibling of one. */
  readFrom(path: string): boolean {
    const full = resolve(path);
    const name = basename(full);
    if (isLeftOut(name) || this.#isExcluded(name, full)) return false;
    return this.#include.some((pattern) => {
      if (leadsTo(pattern.split('/'), full.split('/'))) return true;
      return dirname(full) === dirname(pattern) && isRotatedName(name, basename(pattern));
    });
  }

  #walk(
    directory: string,
    segments: readonly string[],
    cache: DirectoryCache,
    paths: Set<string>,
    walked: Set<string>,
    depth: number,
  ): void {
    const [segment = '', ...rest] = segments;
    if (depth > DEEPEST) return;
    if (!WILD.test(segment) && rest.length > 0) {
      this.#walk(within(directory, segment), rest, cache, paths, walked, depth + 1);
      return;
    }
    walked.add(directory);
    for (const entry of cache.list(directory)) {
      const path = within(directory, entry.name);
      if (segment === '**') {
        if (rest.length === 0) this.#add(entry, path, paths);
        if (!entry.name.startsWith('.') && isDirectory(entry, path, false)) {
          this.#walk(path, segments, cache, paths, walked, depth + 1);
        }
        continue;
      }
      if (!named(entry.name, segment)) continue;
      if (rest.length === 0) this.#add(entry, path, paths);
      else if (isDirectory(entry, path, true)) {
        this.#walk(path, rest, cache, paths, walked, depth + 1);
      }
    }
    // `**` also stands for no directory at all.
    if (segment === '**' && rest.length > 0) {
      this.#walk(directory, rest, cache, paths, walked, depth + 1);
    }
  }

  #isExcluded(name: string, path: string): boolean {
    if (this.#own.has(path)) return false;
    return this.#exclude.some((pattern) =>
      matchesGlob(pattern.startsWith('/') ? path : name, pattern),
    );
  }

  #add(entry: Dirent, path: string, paths: Set<string>): void {
    if (isLeftOut(entry.name)) return;
    if (this.#isExcluded(entry.name, path)) return;
    if (entry.isFile()) paths.add(path);
    if (!entry.isSymbolicLink()) return;
    try {
      if (statSync(path).isFile()) paths.add(realpathSync(path));
    } catch {
      // A dangling link: its target may appear later.
    }
  }
}

/** Whether a glob matches a path or, if it has no slash, the name at the end of the path. */
export function matchesPath(pattern: string, path: string): boolean {
  if (!pattern.includes('/')) return named(basename(path), pattern);
  return leadsTo(resolve(pattern).split('/'), path.split('/'));
}

/** Whether a segment of a glob matches a name; a leading dot must be written out. */
export function named(name: string, segment: string): boolean {
  // A file may have the characters of a wildcard in its own name.
  if (name === segment || !WILD.test(segment)) return name === segment;
  if (name.startsWith('.') && !segment.startsWith('.')) return false;
  if (!PLAIN.test(segment)) return matchesGlob(name, segment);
  let expression = expressions.get(segment);
  if (expression === undefined) {
    expression = expressionOf(segment);
    expressions.set(segment, expression);
  }
  return expression.test(name);
}

/** Whether the segments of a pattern match those of a path. */
function leadsTo([segment, ...rest]: readonly string[], path: readonly string[]): boolean {
  const [name, ...below] = path;
  if (segment === undefined || name === undefined) return segment === name;
  if (segment !== '**') return named(name, segment) && leadsTo(rest, below);
  if (rest.length === 0 || leadsTo(rest, path)) return true;
  return !name.startsWith('.') && leadsTo([segment, ...rest], below);
}

/** A segment with no wildcards but `*` and `?`, as nearly all are. */
const PLAIN = /^[\w.*? -]*$/;
/** Compiled segments of the options' globs: matchesGlob compiles again for every name. */
const expressions = new Map<string, RegExp>();

function expressionOf(segment: string): RegExp {
  const source = segment.replaceAll('.', '\\.').replaceAll('*', '.*').replaceAll('?', '.');
  // `?` is a character, and not half of one.
  return new RegExp(`^${source}$`, 'su');
}

/** Whether an entry is a directory; `**` does not follow links, which may form a loop. */
function isDirectory(entry: Dirent, path: string, followLinks: boolean): boolean {
  if (entry.isDirectory()) return true;
  if (!followLinks || !entry.isSymbolicLink()) return false;
  try {
    return statSync(path).isDirectory();
  } catch {
    // A dangling link, a loop, or a place that this user may not read.
    return false;
  }
}

/** Joins a directory and a name; `path.join` would normalise each of them again at every scan. */
function within(directory: string, name: string): string {
  return directory === '/' ? `/${name}` : `${directory}/${name}`;
}
