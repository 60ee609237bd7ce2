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

/** Splits at commas and line feeds, but not at commas in braces: `{a,b}.log` is one glob. */
function items(value: string): string[] {
  const found: string[] = [];
  let braces = 0;
  let start = 0;
  for (let i = 0; i <= value.length; i++) {
    const letter = value[i];
    if (letter === '{' && value.includes('}', i)) braces++;
    if (letter === '}' && braces > 0) braces--;
    if (i < value.length && letter !== '\n' && (letter !== ',' || braces > 0)) continue;
    found.push(value.slice(start, i).trim());
    start = i + 1;
  }
  return found.filter((item) => item !== '');
}
