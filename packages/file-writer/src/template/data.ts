import { readdir, realpath, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { errorText, Sha256 } from '@sidekit/core';
import { Failure } from '../failure.ts';
import { readRegularFile } from '../io/regular-file.ts';

/** The largest template or data file, in bytes: the limit of a ConfigMap. */
export const INPUT_LIMIT = 1024 * 1024;
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
    const load = async (path: string, option: string) => {
      const text = await readText(path, option);
      digest.update(`${path}\0${text.length}\0`).update(text);
      return text;
    };
    const text = await load(this.#template, '--template');
    const data: Record<string, unknown> = {};
    for (const [name, path] of Object.entries(this.#data)) {
      const option = `--data ${name}=${path}`;
      data[name] = (await isDirectory(path, option))
        ? await readDirectory(path, (file) => load(file, option))
        : await parse(await load(path, option), path);
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

async function parse(text: string, path: string): Promise<unknown> {
  const extension = extname(path).toLowerCase();
  if (!['.json', '.yaml', '.yml'].includes(extension)) return text;
  // YAML 1.2 includes JSON, and its parser reports lines and columns.
  const { parseDocument } = await import('yaml');
  const document = parseDocument(text, { uniqueKeys: true });
  const [error] = document.errors;
  if (error) {
    const at = error.linePos?.[0];
    throw new Failure(
      'data',
      `${path}${at ? `:${at.line}:${at.col}` : ''} is not ${extension.slice(1).toUpperCase()} (${error.message.split(' at line')[0]}): correct it`,
    );
  }
  return document.toJS({ maxAliasCount: 100 });
}

async function readText(path: string, option: string): Promise<string> {
  try {
    return (await readRegularFile(path, INPUT_LIMIT)).toString('utf8');
  } catch (error) {
    throw unreadable(error, option);
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
