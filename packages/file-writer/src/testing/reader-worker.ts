/** Reads a target repeatedly, and reports content that is not a published version. */
import { readFileSync, readlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { FILES, TREE_SIZES, treeFile } from './torn-content.ts';

export interface ReaderReport {
  readonly problems: readonly string[];
  /** How often a read differed from the previous one. */
  readonly changes: number;
}

/** The minimum number of differing reads for a meaningful result. */
const CHANGES = 30;

const { path, shape, count } = workerData as { path: string; shape: string; count: number };
const problems: string[] = [];
let last = '';
let changes = 0;

// A fast reader continues until it has seen enough replacements, or five minutes have passed.
const deadline = performance.now() + 300_000;
const enough = () => changes >= CHANGES || performance.now() > deadline;

for (let i = 0; (i < count || !enough()) && problems.length < 10; i++) {
  try {
    const seen = shape === 'file' ? readFile() : readTree(i);
    if (seen !== last) changes++;
    last = seen;
  } catch (error) {
    problems.push(String(error));
  }
}
parentPort?.postMessage({ problems, changes } satisfies ReaderReport);

function readFile(): string {
  const content = readFileSync(path);
  const letter = String.fromCharCode(content[0] ?? 0);
  if (FILES.some((version) => version.equals(content))) return letter + content.length;
  throw new Error(`${content.length} bytes that start with ${letter} are not a version`);
}

/** Reads one file through the link; every tenth time all files of the version it points to. */
function readTree(round: number): string {
  const names = Object.keys(TREE_SIZES);
  const letter = readComplete(path, names[round % names.length]!);
  if (round % 10 > 0) return letter;
  const version = join(dirname(path), readlinkSync(path));
  const letters = new Set(names.map((name) => readComplete(version, name)));
  if (letters.size !== 1) throw new Error(`one version has the letters ${[...letters]}`);
  return [...letters].join();
}

function readComplete(root: string, name: string): string {
  const content = readFileSync(join(root, name));
  const letter = String.fromCharCode(content[0] ?? 0);
  if (content.equals(treeFile(letter, TREE_SIZES[name]!))) return letter;
  throw new Error(`${content.length} bytes of ${name} are not a version`);
}
