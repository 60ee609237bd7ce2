import { ExitCode, UsageError } from '../errors.ts';
import { nearest, type OptionMap } from '../options/index.ts';
import { version } from '../version.ts';
import { endProcess } from './end-process.ts';
import { invoke, print } from './invoke.ts';
import { reportFailure } from './report-failure.ts';
import { runSidecar, type Sidecar } from './sidecar.ts';

/** The sidecars of an image by subcommand, or its only one. */
export type Commands = Sidecar<OptionMap> | Readonly<Record<string, Sidecar<OptionMap>>>;

/**
 * The main program of an image: reads the command line, validates all of it, runs the sidecar
 * and exits. Bad usage prints every fault and exits 64 before anything was started.
 */
export async function main(commands: Commands): Promise<never> {
  endProcess(await execute(commands, process.argv.slice(2)));
}

async function execute(commands: Commands, argv: readonly string[]): Promise<number> {
  if (isSidecar(commands)) return runBy(commands, argv);
  const [name, ...rest] = argv;
  const known = Object.keys(commands);
  const sidecar = known.includes(name ?? '') ? commands[name ?? ''] : undefined;
  if (sidecar) return runBy(sidecar, rest);
  if (name === '--help' || name === '-h' || name === '--version') {
    await print(name === '--version' ? `${version}\n` : overview(commands));
    return ExitCode.ok;
  }
  const fault =
    name === undefined
      ? { name: 'command', rule: 'is missing', remedy: `give one of ${known.join(', ')}` }
      : { name, rule: 'is not a known command', remedy: nearest(name, known) };
  return reportFailure(new UsageError([fault]), programName(commands));
}

function runBy(sidecar: Sidecar<OptionMap>, argv: readonly string[]): Promise<number> {
  return invoke(sidecar.table, argv, (invocation) => runSidecar(sidecar, invocation));
}

function overview(commands: Readonly<Record<string, Sidecar<OptionMap>>>): string {
  const lines = Object.values(commands).map(
    ({ table }) => `  ${table.command.padEnd(20)} ${table.summary}`,
  );
  return `Commands:\n${lines.join('\n')}\n\nEach has --help.\n`;
}

/** The word that all commands begin with: `mq` of `mq producer` and `mq consumer`. */
function programName(commands: Readonly<Record<string, Sidecar<OptionMap>>>): string {
  return Object.values(commands)[0]?.table.command.split(' ')[0] ?? 'sidekit';
}

function isSidecar(commands: Commands): commands is Sidecar<OptionMap> {
  return typeof commands.run === 'function';
}
