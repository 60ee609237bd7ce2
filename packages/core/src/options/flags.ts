import { parseArgs } from 'node:util';
import { nearest } from '../schema/nearest.ts';
import { flagName, type OptionTable } from './table.ts';
import type { Report } from './type.ts';

/** The words of the command line, before any value is read. */
export interface CommandLine {
  /** Raw values by key: true/false for flags, text, or a list of text. */
  readonly given: ReadonlyMap<string, unknown>;
  readonly operands: readonly string[];
  /** The words after `--`; undefined without a `--`. */
  readonly command: readonly string[] | undefined;
  readonly help: boolean;
  readonly version: boolean;
}

/** Splits a command line by the table, reporting unknown flags and missing values. */
export function readFlags(
  table: OptionTable,
  argv: readonly string[],
  report: Report,
): CommandLine {
  const keys = new Map(Object.keys(table.options).map((key) => [flagName(key).slice(2), key]));
  if (table.config !== false) keys.set('config', 'config');
  const end = table.operands?.command ? argv.indexOf('--') : -1;
  const own = end === -1 ? argv : argv.slice(0, end);
  const { tokens } = parseArgs({
    args: [...own],
    strict: false,
    tokens: true,
    options: {
      help: { type: 'boolean', short: 'h' },
      version: { type: 'boolean' },
      ...Object.fromEntries(
        [...keys].map(
          ([flag, key]) => [flag, { type: isFlag(table, key) ? 'boolean' : 'string' }] as const,
        ),
      ),
    },
  });

  const given = new Map<string, unknown>();
  const operands: string[] = [];
  const asked = { help: false, version: false };
  let unknown = false;
  for (const token of tokens) {
    if (token.kind === 'positional') operands.push(token.value);
    if (token.kind !== 'option') continue;
    if (token.name === 'help' || token.name === 'version') {
      asked[token.name] = true;
      continue;
    }
    const negated = token.name.startsWith('no-') && !keys.has(token.name);
    const key = keys.get(negated ? token.name.slice(3) : token.name);
    if (
      key === undefined ||
      (negated && !isFlag(table, key)) ||
      table.options[key]?.type.fileOnly
    ) {
      unknown = true;
      report(
        key === undefined || negated
          ? {
              name: token.rawName,
              rule: 'is not a known flag',
              remedy: nearest(token.rawName, known(keys)),
            }
          : {
              name: token.rawName,
              rule: 'can only be set in a file',
              remedy: `write ${key}: in the file of --config`,
            },
      );
    } else if (negated && token.value !== undefined) {
      report({
        name: token.rawName,
        value: token.value,
        rule: 'takes no value',
        remedy: `write ${token.rawName} or ${flagName(key)}`,
      });
    } else if (isFlag(table, key)) {
      given.set(key, token.value ?? !negated);
    } else if (token.value === undefined || (!token.inlineValue && token.value.startsWith('--'))) {
      report({
        name: token.rawName,
        rule: 'needs a value',
        remedy: `write ${token.rawName} ${label(table, key)}`,
      });
    } else {
      add(given, table, key, token.value, report);
    }
  }
  if (!unknown) checkOperands(table, operands, report, asked.help || asked.version);
  return { given, operands, command: end === -1 ? undefined : argv.slice(end + 1), ...asked };
}

function add(
  given: Map<string, unknown>,
  table: OptionTable,
  key: string,
  value: string,
  report: Report,
) {
  const option = table.options[key];
  const before = given.get(key);
  if (option?.type.list) given.set(key, [...((before as string[] | undefined) ?? []), value]);
  else if (before === undefined) given.set(key, value);
  else {
    report({
      name: flagName(key),
      value: option?.secret ? undefined : value,
      rule: 'is given twice',
      remedy: 'give it once',
    });
  }
}

function checkOperands(
  table: OptionTable,
  operands: readonly string[],
  report: Report,
  asked: boolean,
) {
  const { operands: rule } = table;
  if (!rule) {
    for (const name of operands) {
      report({
        name,
        rule: 'is not expected',
        remedy: `${table.command} takes flags only; see --help`,
      });
    }
  } else if (!asked && operands.length < (rule.min ?? 0)) {
    report({
      name: rule.label,
      rule: 'is missing',
      remedy: `give at least ${rule.min}; see --help`,
    });
  }
}

function isFlag(table: OptionTable, key: string): boolean {
  return table.options[key]?.type.flag ?? false;
}

function label(table: OptionTable, key: string): string {
  return key === 'config' ? 'PATH' : `<${table.options[key]?.type.label}>`;
}

function known(keys: ReadonlyMap<string, string>): string[] {
  return [...keys.keys(), 'help', 'version'].map((flag) => `--${flag}`);
}
