import { ExitCode, ExpectedError, errorText, faultText, UsageError } from './errors.ts';
import { helpText, nearest, type OptionMap, resolveOptions } from './options/index.ts';
import { runSidecar, type Sidecar } from './sidecar.ts';
import { version } from './version.ts';

/** The sidecars of an image by subcommand, or its only one. */
export type Commands = Sidecar<OptionMap> | Readonly<Record<string, Sidecar<OptionMap>>>;

/**
 * The main program of an image: reads the command line, validates all of it, runs the sidecar
 * and exits. Bad usage prints every fault and exits 64 before anything was started.
 */
export async function main(commands: Commands): Promise<never> {
  process.exit(await execute(commands, process.argv.slice(2)));
}

async function execute(commands: Commands, argv: readonly string[]): Promise<ExitCode> {
  try {
    const chosen = choose(commands, argv);
    if ('text' in chosen) {
      await print(chosen.text);
      return ExitCode.ok;
    }
    const { sidecar, rest } = chosen;
    const invocation = await resolveOptions(sidecar.table, {
      argv: rest,
      environment: process.env,
    });
    if (invocation.kind === 'run') return await runSidecar(sidecar, invocation);
    await print(invocation.kind === 'help' ? helpText(sidecar.table) : `${version}\n`);
    return ExitCode.ok;
  } catch (error) {
    return reportFailure(error, 'sidekit');
  }
}

function choose(
  commands: Commands,
  argv: readonly string[],
): { sidecar: Sidecar<OptionMap>; rest: readonly string[] } | { text: string } {
  if (isSidecar(commands)) return { sidecar: commands, rest: argv };
  const [name, ...rest] = argv;
  const sidecar = name === undefined || !Object.hasOwn(commands, name) ? undefined : commands[name];
  if (sidecar) return { sidecar, rest };
  if (name === '--help' || name === '-h') return { text: overview(commands) };
  if (name === '--version') return { text: `${version}\n` };
  const known = Object.keys(commands);
  throw new UsageError([
    name === undefined
      ? { name: 'command', rule: 'is missing', remedy: `give one of ${known.join(', ')}` }
      : { name, rule: 'is not a known command', remedy: nearest(name, known) },
  ]);
}

function overview(commands: Readonly<Record<string, Sidecar<OptionMap>>>): string {
  const lines = Object.values(commands).map(
    ({ table }) => `  ${table.command.padEnd(20)} ${table.summary}`,
  );
  return `Commands:\n${lines.join('\n')}\n\nEach has --help.\n`;
}

function isSidecar(commands: Commands): commands is Sidecar<OptionMap> {
  return typeof commands.run === 'function';
}

/** Prints what ended a program, as sentences on stderr, and returns its exit code. */
export function reportFailure(error: unknown, name: string): ExitCode {
  if (error instanceof UsageError) {
    const faults = error.faults.map((fault) => `  ${faultText(fault)}`);
    process.stderr.write(
      `${name}: the configuration is wrong:\n${faults.join('\n')}\nSee --help.\n`,
    );
    return error.exitCode;
  }
  if (error instanceof ExpectedError) {
    process.stderr.write(`${name}: ${error.message}\n`);
    return error.exitCode;
  }
  process.stderr.write(
    `${name}: unexpected error: ${errorText(error)}\n${error instanceof Error ? error.stack : ''}\n`,
  );
  return ExitCode.internal;
}

/** Writes to stdout and waits: process.exit would cut what a pipe has not taken yet. */
function print(text: string): Promise<void> {
  return new Promise((resolve) => process.stdout.write(text, () => resolve()));
}
