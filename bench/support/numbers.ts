import { parseArgs } from 'node:util';

/** Reads `--name=N` of a benchmark; each name has a default. @throws Error for other flags. */
export function numbers<Name extends string>(
  args: readonly string[],
  defaults: Readonly<Record<Name, number>>,
): Record<Name, number> {
  const names = Object.keys(defaults) as Name[];
  const options = Object.fromEntries(names.map((name) => [name, { type: 'string' as const }]));
  const { values } = parseArgs({ args: [...args], options });
  const entries = names.map((name) => [name, Number(values[name] ?? defaults[name])]);
  return Object.fromEntries(entries) as Record<Name, number>;
}
