import { type Fault, UsageError, withoutPasswords, withoutQueries } from '../errors.ts';
import { nearest } from '../schema/nearest.ts';
import { discreet } from './composites.ts';
import { type Environment, readEnvironment } from './environment.ts';
import { readConfigFile } from './file.ts';
import { readFlags } from './flags.ts';
import { flagName, type OptionMap, type OptionTable, type OptionValues } from './table.ts';

/** What a command was asked to do. */
export type Invocation<F extends OptionMap> =
  | { readonly kind: 'help' }
  | { readonly kind: 'version' }
  | {
      readonly kind: 'run';
      readonly values: OptionValues<F>;
      readonly operands: readonly string[];
      /** The words after `--`; undefined where there is no `--`. */
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
  if (file) refuseUnknownKeys(table, file, config?.path ?? '', report);

  const values: Record<string, unknown> = {};
  for (const [key, option] of Object.entries(table.options)) {
    const sources: (readonly [name: string, value: unknown])[] = [];
    const inFile = file && Object.hasOwn(file, key) ? file[key] : undefined;
    if (inFile !== undefined && inFile !== null)
      sources.push([option.type.fileOnly ? key : `${config?.path}: ${key}`, inFile]);
    const variable = variables.get(key);
    if (variable) sources.push([variable.name, variable.value]);
    if (line.given.has(key)) sources.push([flagName(key), line.given.get(key)]);
    values[key] = option.default;
    for (const [name, value] of sources) {
      values[key] = option.type.parse(value, name, discreet(option, report));
    }
    if (option.required && sources.length === 0) {
      report(
        option.type.fileOnly
          ? { name: key, rule: 'is missing', remedy: 'add it to the file of --config' }
          : {
              name: flagName(key),
              rule: 'is missing',
              remedy: `give ${flagName(key)} <${option.type.label}>`,
            },
      );
    }
  }
  if (faults.length === 0) table.check?.(values as OptionValues<F>, line.operands, report);
  if (faults.length > 0) throw new UsageError(faults);
  return {
    kind: 'run',
    values: values as OptionValues<F>,
    operands: line.operands,
    command: line.command,
    config: config?.path,
    changed: changedOptions(table, values),
  };
}

/**
 * Reads options from a file's data alone, as a reload does, over the defaults.
 * @throws {UsageError} with every fault.
 */
export function valuesOf<F extends OptionMap>(
  table: OptionTable<F>,
  data: Readonly<Record<string, unknown>>,
): OptionValues<F> {
  const faults: Fault[] = [];
  const report = (fault: Fault) => void faults.push(fault);
  refuseUnknownKeys(table, data, 'configuration', report);
  const values: Record<string, unknown> = {};
  for (const [key, option] of Object.entries(table.options)) {
    const given = Object.hasOwn(data, key) ? data[key] : undefined;
    if (given !== undefined && given !== null) {
      values[key] = option.type.parse(given, key, discreet(option, report));
    } else if (option.required) {
      report({ name: key, rule: 'is missing', remedy: `add ${key}: ${option.type.label}` });
    } else {
      values[key] = option.default;
    }
  }
  if (faults.length === 0) table.check?.(values as OptionValues<F>, [], report);
  if (faults.length > 0) throw new UsageError(faults);
  return values as OptionValues<F>;
}

function configPath(
  given: ReadonlyMap<string, unknown>,
  variables: ReadonlyMap<string, { readonly name: string; readonly value: unknown }>,
): { path: string; name: string } | undefined {
  if (given.has('config')) return { path: String(given.get('config')), name: '--config' };
  const variable = variables.get('config');
  return variable && { path: String(variable.value), name: variable.name };
}

function refuseUnknownKeys(
  table: OptionTable,
  file: Readonly<Record<string, unknown>>,
  path: string,
  report: (fault: Fault) => void,
) {
  const known = Object.keys(table.options);
  for (const key of Object.keys(file)) {
    if (known.includes(key)) continue;
    report({ name: `${path}: ${key}`, rule: 'is not a known key', remedy: nearest(key, known) });
  }
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
