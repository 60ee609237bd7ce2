import { Allowance, type TreeEntry } from '../content.ts';
import { Failure } from '../failure.ts';
import type { Pack } from './pack.ts';

/** Directories nested deeper than any path could be (PATH_MAX / 2): every name has a slash. */
const DEPTH = 2048;

interface TreeItem {
  readonly mode: string;
  readonly name: string;
  readonly oid: string;
}

/**
 * The files of a commit, or of one directory of it; submodules are left out.
 * @param maxFiles also the most directories: a few trees that name each other twice over are
 *   millions of empty ones, and none of them would be a file to count.
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
    const whole = path === '' ? name : `${path}/${name}`;
    if (mode === '40000') {
      yield* walk(pack, oid, whole, directories, depth + 1);
    } else if (mode === '120000') {
      yield { path: whole, link: pack.read(oid, 'blob').toString() };
    } else if (mode.startsWith('10')) {
      // Of the mode only the x of the owner counts, as in git: no set-uid bit gets through.
      const executable = (Number.parseInt(mode, 8) & 0o100) !== 0;
      yield { path: whole, executable, chunks: [pack.read(oid, 'blob')] };
    }
  }
}

/** `<mode> <name>\0<20 bytes>` after each other. */
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
