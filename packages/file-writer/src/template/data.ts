import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errorText, formatSize, Sha256 } from '@sidekit/core';
import { Allowance } from '../content.ts';
import { Failure } from '../failure.ts';
import { readRegularFile } from '../io/regular-file.ts';
import { parseData } from './parse.ts';

/** The largest template or data file, in bytes: the limit of a ConfigMap. */
export const INPUT_LIMIT = 1024 * 1024;
/** All files of a template together, in bytes: parsed, they take some ten times as much. */
const TOTAL_LIMIT = 2 * 1024 * 1024;
/** The maximum number of files of one data directory. */
const DIRECTORY_LIMIT = 1000;

export interface Inputs {
  /** The template. */
  readonly text: string;
  readonly data: Readonly<Record<string, unknown>>;
  /** The SHA-256 over the bytes of all of them. */
  readonly digest: string;
}

/** The files that a template is rendered from. */
export class TemplateData {
  readonly #template: string;
  readonly #data: Readonly<Record<string, string>>;

  constructor(template: string, data: Readonly<Record<string, string>>) {
    this.#template = template;
    this.#data = data;
  }

  /** Reads the current state of all of them. @throws {Failure} with the file, line and column. */
  async read(): Promise<Inputs> {
    const digest = new Sha256();
    const total = new Allowance(TOTAL_LIMIT);
    const load = async (path: string, option: string) => {
      const text = await readText(path, option);
      takeFrom(total, text, option);
      digest.update(`${path}\0${text.length}\0`).update(text);
      return text;
    };
    const text = await load(this.#template, '--template');
    const data: Record<string, unknown> = {};
    for (const [name, path] of Object.entries(this.#data)) {
      const option = `--data ${name}=${path}`;
      data[name] = (await isDirectory(path, option))
        ? await readDirectory(path, (file) => load(file, option))
        : await parseData(await load(path, option), path);
    }
    return { text, data, digest: digest.digest() };
  }
}

/**
 * Reads each file of a ConfigMap, Secret or downward API volume as text, all of one version: the
 * one behind `..data`, which the kubelet replaces in one step.
 */
async function readDirectory(path: string, load: (path: string) => Promise<string>) {
  const root = await realpath(join(path, '..data')).catch(() => path);
  const names = (await readdir(root, { withFileTypes: true }))
    .filter((entry) => !entry.name.startsWith('..') && !entry.isDirectory())
    .map(({ name }) => name)
    .toSorted();
  if (names.length > DIRECTORY_LIMIT) {
    throw new Failure(
      'too_large',
      `${path} has more than ${DIRECTORY_LIMIT} files: name single files`,
    );
  }
  const texts: Record<string, string> = {};
  for (const name of names) texts[name] = await load(join(root, name));
  return texts;
}

async function readText(path: string, option: string): Promise<string> {
  try {
    return (await readRegularFile(path, INPUT_LIMIT)).toString('utf8');
  } catch (error) {
    throw unreadable(error, option);
  }
}

function takeFrom(total: Allowance, text: string, option: string): void {
  try {
    total.take(Buffer.byteLength(text));
  } catch {
    throw new Failure(
      'too_large',
      `${option} exceeds ${formatSize(TOTAL_LIMIT)} together with the other files of the template: name only those that it needs`,
    );
  }
}

async function isDirectory(path: string, option: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    throw unreadable(error, option);
  }
}

function unreadable(error: unknown, option: string): unknown {
  if (error instanceof Failure) return error;
  return new Failure(
    'missing',
    `${option} cannot be read (${errorText(error)}): mount it there, or correct the path`,
  );
}
