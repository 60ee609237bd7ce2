import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { errorText } from '../errors.ts';
import { isRecord } from '../schema/fields.ts';
import type { Report } from './type.ts';
import { formatSize } from './units.ts';

/** The largest configuration file that is read, in bytes: that of a ConfigMap. */
export const CONFIG_LIMIT = 1024 * 1024;

/**
 * Reads a configuration file (YAML 1.2, so JSON too). Every fault names the file, and the
 * line and column if YAML knows them. Returns undefined if it reported one.
 */
export async function readConfigFile(
  path: string,
  name: string,
  report: Report,
): Promise<Record<string, unknown> | undefined> {
  let source: string;
  try {
    source = readBounded(path);
  } catch (error) {
    report({
      name,
      value: path,
      rule: `cannot be read (${errorText(error)})`,
      remedy: 'give the path of a readable YAML file',
    });
    return undefined;
  }
  return parseConfig(source, path, report);
}

/** Reads the text of a configuration file; `path` names it in faults. */
export async function parseConfig(
  source: string,
  path: string,
  report: Report,
): Promise<Record<string, unknown> | undefined> {
  // Loaded only if a file is given: it costs a tenth of the start-up time.
  const { parseDocument } = await import('yaml');
  const document = parseDocument(source, { prettyErrors: true, uniqueKeys: true });
  for (const { message, linePos } of document.errors) {
    const place = linePos ? `:${linePos[0].line}:${linePos[0].col}` : '';
    report({
      name: `${path}${place}`,
      rule: `is not YAML (${message.split(' at line')[0]})`,
      remedy: 'fix the file',
    });
  }
  if (document.errors.length > 0) return undefined;
  let data: unknown;
  try {
    data = document.toJS({ maxAliasCount: 100 }) ?? {};
  } catch (error) {
    // An alias without its anchor, or so many that they would expand without end.
    report({ name: path, rule: `is not YAML (${errorText(error)})`, remedy: 'fix the file' });
    return undefined;
  }
  if (isRecord(data)) return data;
  report({ name: path, rule: 'must hold key: value lines', remedy: 'see --help for the keys' });
  return undefined;
}

function readBounded(path: string): string {
  const fd = openSync(path, 'r');
  try {
    const { size } = fstatSync(fd);
    if (size > CONFIG_LIMIT) throw tooLarge(size);
    const content = readFileSync(fd);
    // A pipe has no size beforehand.
    if (content.length > CONFIG_LIMIT) throw tooLarge(content.length);
    return content.toString('utf8');
  } finally {
    closeSync(fd);
  }
}

function tooLarge(size: number): Error {
  return new Error(`${size} bytes, more than ${formatSize(CONFIG_LIMIT)}`);
}
