import { Allowance, type TreeEntry } from '../content.ts';
import { Failure } from '../failure.ts';
import type { Pack } from './pack.ts';

/** Blobs up to this size, in bytes, are read at once, so that several are written in parallel. */
const SMALL = 256 * 1024;
/** The largest commit, and all directories from the root to one file, in bytes. */
const COMMIT_LIMIT = 1024 * 1024;
const TREES_LIMIT = 16 * 1024 * 1024;
/** The longest symbolic link (PATH_MAX), in bytes. */
const LINK_LIMIT = 4096;
/** The largest pointer of Git LFS, in bytes, and its first line. */
const POINTER_LIMIT = 1024;
const POINTER = 'version https://git-lfs.github.com/spec/v1\n';

/** The kinds of entries, by the type bits of their mode. */
const DIRECTORY = 0o040000;
const LINK = 0o120000;
const FILE = 0o100000;

interface TreeItem {
  /** As a number: old tools wrote a zero before the mode of a directory. */
  readonly mode: number;
  /** One character per byte: names are not always UTF-8. */
  readonly name: string;
  readonly id: string;
}

export interface FilesOptions {
  /** One character per byte. */
  readonly subpath?: string | undefined;
  /**
   * Also limits the directories: a few trees that each list another one ten times stand for
   * millions of empty directories, without any file to count.
   */
  readonly maxFiles: number;
  readonly signal?: AbortSignal;
}

/** Entries of a repository that are not published as one might expect. */
export interface Skipped {
  submodules: number;
  lfsPointers: number;
}

/** Iterates over the files of a commit, or of one directory of it; counts into `skipped`. */
export async function* filesOf(
  pack: Pack,
  commit: string,
  options: FilesOptions,
  skipped: Skipped = { submodules: 0, lfsPointers: 0 },
): AsyncGenerator<TreeEntry> {
  const { subpath = '', maxFiles, signal } = options;
  const text = (await pack.read(commit, 'commit', COMMIT_LIMIT)).toString('latin1');
  let tree = /^tree ([0-9a-f]{40,64})$/m.exec(text)?.[1];
  if (tree === undefined) throw new Failure('git_pack', `the commit ${commit} names no tree`);
  for (const part of subpath.split('/').filter((one) => one !== '' && one !== '.')) {
    let found: TreeItem | undefined;
    for (const item of itemsOf(await pack.read(tree, 'tree', TREES_LIMIT), tree)) {
      if (item.name === part) found = item;
    }
    if (found === undefined || typeOf(found) !== DIRECTORY) {
      throw new Failure(
        'subpath_missing',
        `the repository has no directory ${Buffer.from(subpath, 'latin1')}: correct --subpath`,
      );
    }
    tree = found.id;
  }
  const directories = new Allowance(maxFiles, 'files');
  yield* walk(pack, tree, '', { directories, skipped, signal, room: TREES_LIMIT });
}

interface Walk {
  readonly directories: Allowance;
  readonly skipped: Skipped;
  readonly signal: AbortSignal | undefined;
  /** The bytes that directories on the way to a file may still take in memory. */
  readonly room: number;
}

async function* walk(
  pack: Pack,
  tree: string,
  path: string,
  state: Walk,
): AsyncGenerator<TreeEntry> {
  const { directories, skipped, signal } = state;
  directories.take(1);
  const data = await pack.read(tree, 'tree', state.room);
  // Also limits the depth: every directory on the way takes some room.
  const below = { ...state, room: state.room - data.length - 1024 };
  for (const item of itemsOf(data, tree)) {
    const { name, id } = item;
    signal?.throwIfAborted();
    if (name.includes('/') || ['', '.', '..', '.git'].includes(name.toLowerCase())) {
      throw new Failure(
        'unsafe_path',
        `the repository has a file named ${JSON.stringify(name)}, which is refused`,
      );
    }
    const full = path === '' ? name : `${path}/${name}`;
    const type = typeOf(item);
    if (type === DIRECTORY) {
      yield* walk(pack, id, full, below);
    } else if (type === LINK) {
      yield { path: full, link: (await pack.read(id, 'blob', LINK_LIMIT)).toString('latin1') };
    } else if (type !== FILE) {
      // git takes whatever is none of the others as a submodule (mode 160000), too.
      skipped.submodules++;
    } else {
      // Only the `x` of the owner counts, as in git: no set-uid bit reaches the disk.
      const executable = (item.mode & 0o100) !== 0;
      const length = pack.length(id, 'blob');
      if (length > SMALL) {
        yield { path: full, executable, chunks: pack.stream(id, 'blob') };
        continue;
      }
      const content = await pack.read(id, 'blob', SMALL);
      if (length <= POINTER_LIMIT && content.toString('latin1', 0, POINTER.length) === POINTER) {
        skipped.lfsPointers++;
      }
      yield { path: full, executable, chunks: [content] };
    }
  }
}

function typeOf({ mode }: TreeItem): number {
  return mode & 0o170000;
}

/** Parses a tree: entries of the form `<mode> <name>\0<id>`. */
function* itemsOf(data: Buffer, tree: string): Generator<TreeItem> {
  const idBytes = tree.length / 2;
  for (let position = 0; position < data.length; ) {
    const space = data.indexOf(0x20, position);
    const end = data.indexOf(0, space);
    if (space === -1 || end === -1 || end + 1 + idBytes > data.length) {
      throw new Failure('git_pack', `the tree ${tree} is broken`);
    }
    yield {
      mode: Number.parseInt(data.toString('latin1', position, space), 8),
      name: data.toString('latin1', space + 1, end),
      id: data.toString('hex', end + 1, end + 1 + idBytes),
    };
    position = end + 1 + idBytes;
  }
}
