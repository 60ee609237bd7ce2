import { writeFileSync } from 'node:fs';
import { ExitCode } from '../errors.ts';
import { helpText, type OptionMap, type OptionTable } from '../options/index.ts';
import { type Invocation, resolveOptions } from '../options/resolve.ts';
import { version } from '../version.ts';
import { endProcess } from './end-process.ts';
import { reportFailure } from './report-failure.ts';

/** A validated command line that runs the command. */
export type Run<F extends OptionMap> = Extract<Invocation<F>, { kind: 'run' }>;

/**
 * The main program of a command-line tool, which has neither an admin server nor a log of its
 * own: reads the command line, validates all of it, runs and exits.
 */
export async function mainOf<F extends OptionMap>(
  table: OptionTable<F>,
  run: (invocation: Run<F>) => Promise<number>,
): Promise<never> {
  endProcess(await invoke(table, process.argv.slice(2), run));
}

/** Runs a command by its command line and returns the exit code, of `run` or for its error. */
export async function invoke<F extends OptionMap>(
  table: OptionTable<F>,
  argv: readonly string[],
  run: (invocation: Run<F>) => Promise<number>,
): Promise<number> {
  try {
    const invocation = await resolveOptions(table, { argv, environment: process.env });
    if (invocation.kind === 'run') {
      nameProcess(table.command);
      return await run(invocation);
    }
    await print(invocation.kind === 'help' ? helpText(table) : `${version}\n`);
    return ExitCode.ok;
  } catch (error) {
    return reportFailure(error, table.command);
  }
}

/** Writes to stdout and waits: the exit would cut what a pipe has not taken yet. */
export function print(text: string): Promise<void> {
  return new Promise((resolve) => process.stdout.write(text, () => resolve()));
}

/**
 * Sets the command name that neighbours in a shared process namespace find and signal; without it
 * all would have that of Node's main thread. The command line stays as it is (proc_pid_comm(5)).
 */
function nameProcess(command: string): void {
  try {
    writeFileSync('/proc/self/comm', command);
  } catch {
    // A name for neighbours only.
  }
}
