import { spawn } from 'node:child_process';
import { childEnvironment, ExitCode, ExpectedError, UsageError } from '@sidekit/core/tool';
import { Engine } from '../engine/engine.ts';
import type { PodObject } from '../manifest/types.ts';
import { type Arguments, readArguments } from './arguments.ts';
import { containersOf } from './logged-runs.ts';
import { selectPod } from './select.ts';
import type { Session } from './session.ts';

export const execHelp = `pod exec POD [-c CONTAINER] [-it] -- COMMAND…
  Runs a command in a running container; the exit code is the command's. Without -c it is the
  container of the annotation kubectl.kubernetes.io/default-container, else the first. -i passes
  stdin on, -t gives the command a terminal; on a terminal both are the default.
`;

export async function exec(argv: readonly string[], session: Session): Promise<ExitCode> {
  // Without --, the command's own flags would be taken for those of pod.
  if (!argv.includes('--')) {
    throw new UsageError([
      { name: '-- COMMAND', rule: 'is missing', remedy: 'pod exec POD -- COMMAND' },
    ]);
  }
  const args = readArguments(argv, ['container', 'stdin', 'tty'], 1);
  const [name] = args.words;
  if (name === undefined || args.rest.length === 0) {
    throw new UsageError([
      { name: 'POD -- COMMAND', rule: 'is missing', remedy: 'pod exec POD -- COMMAND' },
    ]);
  }
  const folder = selectPod(session.store, name);
  const main = args.text('container') ?? defaultContainer(folder.record.pod);
  const [target] = containersOf(folder, main);
  if (!target) throw new ExpectedError(`container ${main} of Pod ${folder.name} has not started`);
  const engine = new Engine(folder.record.engine);
  return runInteractive(engine, target.id, args.rest, args);
}

/** Runs a command in a container by the engine's command line, which handles terminals. */
export function runInteractive(
  engine: Engine,
  id: string,
  command: readonly string[],
  args: Pick<Arguments, 'has'>,
): Promise<ExitCode> {
  const terminal = process.stdin.isTTY === true;
  if (args.has('tty') && !terminal) {
    throw new ExpectedError('-t needs a terminal on stdin: leave it out', ExitCode.usage);
  }
  const interactive = terminal && (args.has('tty') || !args.has('stdin')) ? ['-it'] : ['-i'];
  const child = spawn(engine.name, ['exec', ...interactive, id, ...command], {
    stdio: 'inherit',
    env: childEnvironment(engine.clientEnvironment),
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve((code ?? 137) as ExitCode));
  });
}

/** Returns the container that a command means without -c, as kubectl chooses it. */
export function defaultContainer({ metadata, spec }: PodObject): string | undefined {
  const chosen = metadata.annotations['kubectl.kubernetes.io/default-container'];
  const known = [...spec.initContainers, ...spec.containers].some(({ name }) => name === chosen);
  return known ? chosen : spec.containers[0]?.name;
}
