import { nearest } from '../schema/nearest.ts';
import { type OptionTable, SERVICE_LINK, variableName } from './table.ts';
import type { Report } from './type.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Finds the table's variables, refusing unknown ones of its prefix. */
export function readEnvironment(
  table: OptionTable,
  environment: Environment,
  report: Report,
): ReadonlyMap<string, { readonly name: string; readonly value: unknown }> {
  const keys =
    table.config === false ? Object.keys(table.options) : [...Object.keys(table.options), 'config'];
  const known = new Map(
    keys
      .filter((key) => !table.options[key]?.type.fileOnly)
      .map((key) => [variableName(table.prefix, key), key]),
  );
  const shared = new Set((table.sharedKeys ?? []).map((key) => variableName(table.prefix, key)));
  const found = new Map<string, { name: string; value: unknown }>();
  for (const [name, value] of Object.entries(environment)) {
    if (!name.startsWith(`${table.prefix}_`) || value === undefined) continue;
    const key = known.get(name);
    if (key !== undefined) {
      found.set(key, { name, value: table.options[key]?.type.list ? items(value) : value });
    } else if (!shared.has(name) && !SERVICE_LINK.test(name)) {
      report({ name, rule: 'is not a known variable', remedy: nearest(name, [...known.keys()]) });
    }
  }
  return found;
}

/**
 * Splits at commas and line feeds, but not at commas in braces or brackets: `{a,b}.log` is one glob,
 * and `a[,]b.log` is the name of a file with a comma.
 */
function items(value: string): string[] {
  return value.split('\n').flatMap((line) => {
    const braces = closedBraces(line);
    const last = line.lastIndexOf(']');
    const found: string[] = [];
    let start = 0;
    for (let i = 0; i <= line.length; i++) {
      if (i < line.length && line[i] !== ',') {
        i = braces.get(i) ?? (i < last ? bracketEnd(line, i) : i);
        continue;
      }
      found.push(line.slice(start, i).trim());
      start = i + 1;
    }
    return found.filter((item) => item !== '');
  });
}

/** Returns the positions of braces that are closed, and of what closes them. */
function closedBraces(text: string): Map<number, number> {
  const closed = new Map<number, number>();
  const open: number[] = [];
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '{') open.push(i);
    const last = text[i] === '}' ? open.pop() : undefined;
    if (last !== undefined) closed.set(last, i);
  }
  return closed;
}

/** Returns the position of what closes the bracket at `at`; `at` if it is none, or not closed. */
function bracketEnd(text: string, at: number): number {
  if (text[at] !== '[') return at;
  // A bracket that comes first is one of the characters, also after a negation (glob(7)).
  const first = /[!^]/.test(text[at + 1] ?? '') ? at + 2 : at + 1;
  const end = text.indexOf(']', first + 1);
  return end === -1 ? at : end;
}
