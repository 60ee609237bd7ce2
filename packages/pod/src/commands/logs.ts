import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { ExitCode, ExpectedError, nearest, UsageError } from '@sidekit/core';
import { Engine } from '../engine/engine.ts';
import type { PodFolder } from '../supervisor/store.ts';
import { readArguments } from './arguments.ts';
import type { Session } from './session.ts';
import { allStatuses } from './summary.ts';
import { prefix } from './terminal.ts';

export const logsHelp = `pod logs POD [-c CONTAINER] [-f]
  Prints the logs of a container, or of all with their names in front; -f follows them.
`;

export async function logs(argv: readonly string[], session: Session): Promise<ExitCode> {
  const args = readArguments(argv, ['container', 'follow']);
  const [name] = args.words;
  if (name === undefined)
    throw new UsageError([{ name: 'POD', rule: 'is missing', remedy: 'pod logs POD' }]);
  const folder = session.store.existing(name);
  const wanted = args.text('container');
  const containers = containersOf(folder, wanted);
  const width = Math.max(...containers.map((container) => container.name.length));
  const engine = new Engine(folder.record.engine);
  await Promise.all(
    containers.map(({ name: container, id }, i) => {
      const before =
        containers.length > 1 || wanted === undefined
          ? `${prefix(session.terminal, container, i, width)} `
          : '';
      return printLog(engine, id, args.has('follow'), before);
    }),
  );
  return ExitCode.ok;
}

/** The containers that have a log: running, ended, or waiting after a run. */
export function containersOf(
  folder: PodFolder,
  wanted: string | undefined,
): { name: string; id: string }[] {
  const all = folder.status ? allStatuses(folder.status) : [];
  const names = all.map(({ name }) => name);
  if (wanted !== undefined && !names.includes(wanted)) {
    throw new ExpectedError(
      `no container ${wanted} in Pod ${folder.name}: ${nearest(wanted, names) ?? `there are ${names.join(', ')}`}`,
      64,
    );
  }
  return all
    .filter(({ name }) => wanted === undefined || name === wanted)
    .flatMap(({ name, containerID }) => (containerID ? [{ name, id: containerID }] : []));
}

function printLog(engine: Engine, id: string, follow: boolean, before: string): Promise<void> {
  const child = spawn(engine.name, engine.logArguments(id, follow), {
    stdio: before ? ['ignore', 'pipe', 'pipe'] : ['ignore', 'inherit', 'inherit'],
  });
  for (const [input, output] of [
    [child.stdout, process.stdout],
    [child.stderr, process.stderr],
  ] as const) {
    if (input) createInterface({ input }).on('line', (line) => output.write(`${before}${line}\n`));
  }
  return new Promise((resolve) => {
    child.once('close', () => resolve());
    child.once('error', () => resolve());
  });
}
