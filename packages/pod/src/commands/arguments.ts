import { parseArgs } from 'node:util';
import { duration, type Fault, nearest, readValue, UsageError } from '@sidekit/core/tool';

import { flagCounterpart } from './counterparts.ts';

type Kind = 'boolean' | 'string';

/** The flags of every command; each command takes some of them. */
const FLAGS = {
  all: { type: 'boolean' },
  'allow-host': { type: 'boolean' },
  'backoff-base': { type: 'string' },
  image: { type: 'string' },
  since: { type: 'string' },
  stdin: { type: 'boolean', short: 'i' },
  tail: { type: 'string' },
  tty: { type: 'boolean', short: 't' },
  volumes: { type: 'boolean' },
  container: { type: 'string', short: 'c' },
  engine: { type: 'string' },
  filename: { type: 'string', short: 'f' },
  foreground: { type: 'boolean' },
  follow: { type: 'boolean', short: 'f' },
  'grace-period': { type: 'string' },
  help: { type: 'boolean', short: 'h' },
  kube: { type: 'boolean' },
  namespace: { type: 'string', short: 'n' },
  output: { type: 'string', short: 'o' },
  port: { type: 'string' },
  previous: { type: 'boolean', short: 'p' },
  strict: { type: 'boolean' },
  timeout: { type: 'string' },
  timestamps: { type: 'boolean' },
  unsupported: { type: 'string' },
  watch: { type: 'boolean', short: 'w' },
} as const satisfies Record<string, { type: Kind; short?: string }>;

export type FlagName = keyof typeof FLAGS;

export interface Arguments {
  readonly words: readonly string[];
  /** The files of every -f. */
  readonly files: readonly string[];
  /** The words after `--`. */
  readonly rest: readonly string[];
  text(name: FlagName): string | undefined;
  has(name: FlagName): boolean;
  /** A duration in milliseconds. */
  milliseconds(name: FlagName): number | undefined;
  /** A port, 0 to 65535. */
  number(name: 'port'): number | undefined;
}

/**
 * Reads a command's words and flags.
 * @param most the number of words that the command takes.
 * @throws {UsageError} with all faults.
 */
export function readArguments(
  argv: readonly string[],
  allowed: readonly FlagName[],
  most = Number.POSITIVE_INFINITY,
): Arguments {
  const faults: Fault[] = [];
  const names: readonly FlagName[] = [...allowed, 'help'];
  const end = argv.indexOf('--');
  const { tokens } = parseArgs({
    args: [...(end === -1 ? argv : argv.slice(0, end))],
    options: Object.fromEntries(names.map((name) => [name, FLAGS[name]])),
    strict: false,
    tokens: true,
  });
  const values = new Map<string, string | true>();
  const words: string[] = [];
  const files: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') words.push(token.value);
    if (token.kind !== 'option') continue;
    const known = names.find((name) => name === token.name);
    if (!known) {
      faults.push({
        name: token.rawName,
        rule: 'is not a known flag',
        remedy:
          flagCounterpart(token.rawName) ??
          nearest(
            token.rawName,
            names.map((name) => `--${name}`),
          ),
      });
    } else if (FLAGS[known].type === 'string' && token.value === undefined) {
      faults.push({ name: token.rawName, rule: 'needs a value' });
    } else {
      values.set(known, token.value ?? true);
      if (known === 'filename') files.push(String(token.value));
    }
  }
  for (const word of words.slice(most)) {
    const remedy = allowed.includes('container') ? 'a container is named by -c' : undefined;
    faults.push({ name: word, rule: 'is a word too many', remedy });
  }
  const times = new Map<string, number>();
  for (const name of ['timeout', 'backoff-base', 'grace-period', 'since'] as const) {
    const given = values.get(name);
    // kubectl's grace period is a number of seconds.
    const value =
      name === 'grace-period' && /^\d+$/.test(String(given)) ? `${String(given)}s` : given;
    if (value === undefined) continue;
    const time = readValue(duration(), value, `--${name}`, (fault) => faults.push(fault));
    if (time !== undefined) times.set(name, time);
  }
  // kubectl's -1 is all of them.
  if (values.get('tail') === '-1') values.delete('tail');
  const tail = values.get('tail');
  if (tail !== undefined && !/^\d{1,9}$/.test(String(tail))) {
    faults.push({ name: '--tail', value: String(tail), rule: 'must be a number of lines' });
  }
  const port = values.get('port');
  if (port !== undefined && !(/^\d{1,5}$/.test(String(port)) && Number(port) < 65_536)) {
    faults.push({ name: '--port', value: String(port), rule: 'must be a port, 0 to 65535' });
  }
  const namespace = values.get('namespace');
  if (namespace !== undefined && !/^[a-z\d]([-a-z\d]{0,61}[a-z\d])?$/.test(String(namespace))) {
    const rule =
      'must be a name of lower-case letters, digits and hyphens, of at most 63 characters';
    faults.push({ name: '--namespace', value: String(namespace), rule });
  }
  const output = values.get('output');
  if (output !== undefined && output !== 'json') {
    faults.push({ name: '--output', value: String(output), rule: 'must be json' });
  }
  const unsupported = values.get('unsupported');
  if (unsupported !== undefined && unsupported !== 'warn' && unsupported !== 'refuse') {
    const rule = 'must be warn or refuse';
    faults.push({ name: '--unsupported', value: String(unsupported), rule });
  }
  if (faults.length > 0) throw new UsageError(faults);
  return {
    words,
    files,
    rest: end === -1 ? [] : argv.slice(end + 1),
    text: (name) => {
      const value = values.get(name);
      return typeof value === 'string' ? value : undefined;
    },
    has: (name) => values.has(name),
    milliseconds: (name) => times.get(name),
    number: (name) => (values.has(name) ? Number(values.get(name)) : undefined),
  };
}
