import { type Fault, UsageError, withoutPasswords, withoutQueries } from '../errors.ts';
import { type Field, readFields, unknownKey } from '../schema/fields.ts';
import { readerOf } from './composites.ts';
import { type Environment, readEnvironment } from './environment.ts';
import { readConfigFile } from './file.ts';
import { readFlags } from './flags.ts';
import {
  flagName,
  type Option,
  type OptionMap,
  type OptionTable,
  type OptionValues,
} from './table.ts';
import { type Report, readValue } from './type.ts';

/** The result of reading a command line. */
export type Invocation<F extends OptionMap> =
  | { readonly kind: 'help' }
  | { readonly kind: 'version' }
  | {
      readonly kind: 'run';
      readonly values: OptionValues<F>;
      readonly operands: readonly string[];
      /** The words after `--`; undefined without a `--`. */
      readonly command: readonly string[] | undefined;
      /** The path of the configuration file, if one was given. */
      readonly config: string | undefined;
      /** The options that differ from their defaults, as text, secrets redacted. */
      readonly changed: Readonly<Record<string, string>>;
    };

export interface Inputs {
  readonly argv: readonly string[];
  readonly environment: Environment;
}

/**
 * Reads a command's options: flags before environment before file before defaults.
 * @throws {UsageError} with every fault of every source.
 */
export async function resolveOptions<F extends OptionMap>(
  table: OptionTable<F>,
  { argv, environment }: Inputs,
): Promise<Invocation<F>> {
  const faults: Fault[] = [];
  const report = (fault: Fault) => void faults.push(fault);
  const line = readFlags(table, argv, report);
  if (line.help) return { kind: 'help' };
  if (line.version) return { kind: 'version' };
  const variables = readEnvironment(table, environment, report);
  for (const operand of line.operands) table.operands?.check?.(operand, report);
  const config = configPath(line.given, variables);
  const file = config ? await readConfigFile(config.path, config.name, report) : undefined;
  const path = config?.path ?? '';

  // Every source of an option, the one with the highest precedence last.
  const sources: Record<string, (readonly [name: string, value: unknown])[]> = {};
  const add = (key: string, name: string, value: unknown) => {
    sources[key] ??= [];
    sources[key].push([name, value]);
  };
  const unknown = unknownKey(Object.keys(table.options));
  for (const [key, value] of Object.entries(file ?? {})) {
    const option = Object.hasOwn(table.options, key) ? table.options[key] : undefined;
    const name = option?.type.fileOnly ? key : `${path}: ${key}`;
    if (!option) {
      const violation = unknown(key, value, []);
      if (violation) report({ name, ...violation });
    } else if (value !== null) add(key, name, value);
  }
  for (const [key, { name, value }] of variables) add(key, name, value);
  for (const [key, value] of line.given) add(key, flagName(key), value);
  const good: Record<string, unknown> = {};
  const fields = Object.fromEntries(
    Object.entries(table.options).map(([key, option]) => {
      const field = fieldOf(option, report);
      if (!Object.hasOwn(sources, key)) good[key] = option.default;
      return [key, { ...field, read: (...given) => (good[key] = field.read(...given)) }];
    }),
  ) as Record<string, Field<unknown>>;
  const read = readFields(
    fields,
    sources,
    [],
    ([key], { rule }) => report({ rule, ...missing(String(key), table) }),
    () => undefined,
  );
  const asWritten = (key: string): string => {
    if (!Object.hasOwn(table.options, key)) return key;
    return sources[key]?.at(-1)?.[0] ?? (table.options[key]?.type.fileOnly ? key : flagName(key));
  };
  const reportRule = (fault: Fault) => {
    report({ ...fault, name: fault.name.split(', ').map(asWritten).join(', ') });
  };
  // If the file could not be read, nobody knows what was written.
  if (!config || file) {
    const written = Object.entries(sources).map(([key, all]) => [key, all.at(-1)?.[1]]);
    table.checkParts?.(good as Partial<OptionValues<F>>, Object.fromEntries(written), reportRule);
  }
  const values = (read ?? {}) as OptionValues<F>;
  if (faults.length === 0) table.check?.(values, line.operands, reportRule);
  if (faults.length > 0) throw new UsageError(faults);
  return {
    kind: 'run',
    values,
    operands: line.operands,
    command: line.command,
    config: config?.path,
    changed: changedOptions(table, values),
  };
}

/** Reads all sources of an option, so that each one's faults are reported; the last one counts. */
function fieldOf(option: Option<unknown>, report: Report): Field<unknown> {
  const type = { ...option.type, read: readerOf(option) };
  return {
    required: option.required ?? false,
    fallback: option.default,
    read: (sources) => {
      const all = sources as (readonly [name: string, value: unknown])[];
      return all.map(([name, value]) => readValue(type, value, name, report)).at(-1);
    },
  };
}

function missing(key: string, table: OptionTable): Pick<Fault, 'name' | 'remedy'> {
  const type = table.options[key]?.type;
  if (type?.fileOnly) return { name: key, remedy: 'add it to the file of --config' };
  const name = flagName(key);
  return { name, remedy: `give ${name} <${type?.label}>` };
}

function configPath(
  given: ReadonlyMap<string, unknown>,
  variables: ReadonlyMap<string, { readonly name: string; readonly value: unknown }>,
): { path: string; name: string } | undefined {
  if (given.has('config')) return { path: String(given.get('config')), name: '--config' };
  const variable = variables.get('config');
  return variable && { path: String(variable.value), name: variable.name };
}

function changedOptions(table: OptionTable, values: Readonly<Record<string, unknown>>) {
  const changed: Record<string, string> = {};
  for (const [key, option] of Object.entries(table.options)) {
    const value = values[key];
    if (value === undefined || value === null) continue;
    const text = option.type.format(value);
    const usual = option.default;
    if (usual !== undefined && usual !== null && option.type.format(usual) === text) continue;
    changed[key] = option.secret ? 'redacted' : withoutQueries(withoutPasswords(text));
  }
  return changed;
}
