import { spawn } from 'node:child_process';
import { childEnvironment, type ExitCode, ExpectedError, UsageError } from '@sidekit/core/tool';
import { Engine } from '../engine/engine.ts';
import { readArguments } from './arguments.ts';
import { containersOf } from './logs.ts';
import type { Session } from './session.ts';

export const execHelp = `pod exec POD [-c CONTAINER] -- COMMAND…
  Runs a command in a running container; the exit code is the command's.
`;

export async function exec(argv: readonly string[], session: Session): Promise<ExitCode> {
  const args = readArguments(argv, ['container']);
  const [name] = args.words;
  if (name === undefined || args.rest.length === 0) {
    throw new UsageError([
      { name: 'POD -- COMMAND', rule: 'is missing', remedy: 'pod exec POD -- COMMAND' },
    ]);
  }
  const folder = session.store.existing(name);
  const main = folder.record.pod.spec.containers[0]?.name;
  const [target] = containersOf(folder, args.text('container') ?? main);
  if (!target)
    throw new ExpectedError(
      `container ${args.text('container') ?? main} of Pod ${name} has not started`,
    );
  const engine = new Engine(folder.record.engine);
  const interactive = process.stdin.isTTY ? ['-it'] : ['-i'];
  const child = spawn(engine.name, ['exec', ...interactive, target.id, ...args.rest], {
    stdio: 'inherit',
    env: childEnvironment(engine.clientEnvironment),
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve((code ?? 137) as ExitCode));
  });
}
