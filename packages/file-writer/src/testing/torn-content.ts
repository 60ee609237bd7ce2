/**
 * The content of the torn-read test: a few versions of different sizes, from 1 B to 1 MiB, each
 * filled with its own letter, so that a reader can tell a complete version from anything else.
 */
const KIB = 1024;

export const LETTERS = 'abcdefghijk';

export const FILES: readonly Buffer[] = [
  ...[1, 100, 4 * KIB, 63 * KIB + 1, 1, 2, 5000, 17, 300 * KIB, 64].map(version),
  version(10 * KIB * KIB, 10),
];

/** The files of a tree: all hold the same letter, in these sizes. */
export const TREE_SIZES: Readonly<Record<string, number>> = {
  a: 1,
  'sub/b': 20_000,
  'sub/deep/c': 4096,
};

const made = new Map<string, Buffer>();

export function treeFile(letter: string, size: number): Buffer {
  const key = `${letter}${size}`;
  const content = made.get(key) ?? Buffer.alloc(size, letter);
  made.set(key, content);
  return content;
}

function version(size: number, index: number): Buffer {
  return Buffer.alloc(size, LETTERS[index]);
}
