import { closeSync, openSync, readSync } from 'node:fs';
import { errorText } from '../errors.ts';
import { readSmallFile } from '../io/small-file.ts';
import { isRecord } from '../schema/fields.ts';
import type { Report } from './type.ts';
import { formatSize } from './units.ts';

/** The largest configuration file that is read, in bytes: that of a ConfigMap. */
export const CONFIG_LIMIT = 1024 * 1024;
/** The most tokens of YAML that are parsed: a full plan of the coordinator has some 320,000. */
const TOKEN_LIMIT = 400_000;

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
  const { excessOf, parseYaml } = await import('../io/yaml.ts');
  const rule = excessOf(source, { tokens: TOKEN_LIMIT });
  if (rule !== undefined) {
    report({ name: path, rule, remedy: 'split it, or write fewer values' });
    return undefined;
  }
  const { document, faults } = parseYaml(source);
  for (const { message, line, column } of faults) {
    report({
      name: `${path}:${line}:${column}`,
      rule: `is not YAML (${message})`,
      remedy: 'fix the file',
    });
  }
  if (faults.length > 0) return undefined;
  let data: unknown;
  try {
    data = document.toJS({ maxAliasCount: 100 }) ?? {};
  } catch (error) {
    // An alias without its anchor, or so many that they would expand without end.
    report({ name: path, rule: `is not YAML (${errorText(error)})`, remedy: 'fix the file' });
    return undefined;
  }
  if (hasCycle(data)) {
    const rule = 'has an alias within its own anchor';
    report({ name: path, rule, remedy: 'write the value out' });
    return undefined;
  }
  if (isRecord(data)) return data;
  report({ name: path, rule: 'must hold key: value lines', remedy: 'see --help for the keys' });
  return undefined;
}

/** Whether a value contains itself. Each object is visited once, however many aliases it has. */
function hasCycle(value: unknown, open = new Set<unknown>(), done = new Set<unknown>()): boolean {
  if (typeof value !== 'object' || value === null || done.has(value)) return false;
  if (open.has(value)) return true;
  open.add(value);
  const found = Object.values(value).some((one) => hasCycle(one, open, done));
  open.delete(value);
  done.add(value);
  return found;
}

/** A pipe that the shell or another program opened, as in `--config <(…)`. */
const INHERITED = /^\/(dev\/(stdin$|fd\/)|proc\/(self|\d+)\/fd\/)/;

function readBounded(path: string): string {
  if (!INHERITED.test(path)) return readSmallFile(path, CONFIG_LIMIT).toString('utf8');
  const fd = openSync(path, 'r');
  try {
    const content = Buffer.alloc(CONFIG_LIMIT + 1);
    let total = 0;
    for (let length = 1; length > 0 && total <= CONFIG_LIMIT; total += length) {
      length = readSync(fd, content, total, content.length - total, null);
    }
    if (total > CONFIG_LIMIT) throw new Error(`it is larger than ${formatSize(CONFIG_LIMIT)}`);
    return content.toString('utf8', 0, total);
  } finally {
    closeSync(fd);
  }
}
