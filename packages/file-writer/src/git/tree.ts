import { Allowance, type TreeEntry } from '../content.ts';
import { Failure } from '../failure.ts';
import type { Pack } from './pack.ts';

/** The deepest nesting of directories: no path could be longer (PATH_MAX / 2). */
const DEPTH = 2048;

interface TreeItem {
  readonly mode: string;
  readonly name: string;
  readonly oid: string;
}

/**
 * Iterates over the files of a commit, or of one directory of it; submodules are skipped.
 * @param maxFiles also limits the directories: a few trees that each list another one ten times
 *   stand for millions of empty directories, without any file to count.
 */
export function* filesOf(
  pack: Pack,
  commit: string,
  { subpath = '', maxFiles }: { readonly subpath?: string | undefined; readonly maxFiles: number },
): Generator<TreeEntry> {
  const root = /^tree ([0-9a-f]{40})$/m.exec(pack.read(commit, 'commit').toString('latin1'))?.[1];
  if (root === undefined) throw new Failure('git_pack', `the commit ${commit} names no tree`);
  let tree: string = root;
  for (const part of subpath.split('/').filter((one) => one !== '' && one !== '.')) {
    const found: TreeItem | undefined = readTree(pack, tree).find(({ name }) => name === part);
    if (found?.mode !== '40000') {
      throw new Failure(
        'subpath_missing',
        `the repository has no directory ${subpath}: correct --subpath`,
      );
    }
    tree = found.oid;
  }
  yield* walk(pack, tree, '', new Allowance(maxFiles, 'files'), 0);
}

function* walk(
  pack: Pack,
  tree: string,
  path: string,
  directories: Allowance,
  depth: number,
): Generator<TreeEntry> {
  if (depth > DEPTH) throw new Failure('git_pack', 'the directories are nested too deep');
  directories.take(1);
  for (const { mode, name, oid } of readTree(pack, tree)) {
    if (name.includes('/') || ['', '.', '..', '.git'].includes(name.toLowerCase())) {
      throw new Failure(
        'unsafe_path',
        `the repository has a file named ${JSON.stringify(name)}, which is refused`,
      );
    }
    const full = path === '' ? name : `${path}/${name}`;
    if (mode === '40000') {
      yield* walk(pack, oid, full, directories, depth + 1);
    } else if (mode === '120000') {
      yield { path: full, link: pack.read(oid, 'blob').toString() };
    } else if (mode.startsWith('10')) {
      // Only the `x` of the owner counts, as in git: no set-uid bit reaches the disk.
      const executable = (Number.parseInt(mode, 8) & 0o100) !== 0;
      yield { path: full, executable, chunks: [pack.read(oid, 'blob')] };
    }
  }
}

/** Parses a tree: entries of the form `<mode> <name>\0<20 bytes>`. */
function readTree(pack: Pack, oid: string): TreeItem[] {
  const data = pack.read(oid, 'tree');
  const items: TreeItem[] = [];
  for (let position = 0; position < data.length; ) {
    const space = data.indexOf(0x20, position);
    const end = data.indexOf(0, space);
    if (space === -1 || end === -1 || end + 21 > data.length) {
      throw new Failure('git_pack', `the tree ${oid} is broken`);
    }
    items.push({
      mode: data.toString('latin1', position, space),
      name: data.toString('utf8', space + 1, end),
      oid: data.toString('hex', end + 1, end + 21),
    });
    position = end + 21;
  }
  return items;
}
