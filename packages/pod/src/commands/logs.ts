import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import {
  childEnvironment,
  ExitCode,
  ExpectedError,
  nearest,
  pause,
  UsageError,
} from '@sidekit/core/tool';
import { Engine } from '../engine/engine.ts';
import { timedLine } from '../engine/log-line.ts';
import type { PodFolder } from '../store/folder.ts';
import { type FlagName, readArguments } from './arguments.ts';
import { selectPod } from './select.ts';
import type { Session } from './session.ts';
import { allStatuses, hasEnded } from './summary.ts';
import { prefix } from './terminal.ts';

export const logsHelp = `pod logs POD [-c CONTAINER] [-f] [--previous] [--timestamps] [--tail N] [--since 10m]
  Prints the log of a container, or of all with their names in front in the order of time;
  -f follows them, also over restarts. --previous is the run before the last.
`;

/** A run of a container that has a log. */
export interface LoggedRun {
  readonly name: string;
  readonly id: string;
}

/** How often a followed Pod is checked for a new run, in milliseconds. */
const INTERVAL = 100;

export async function logs(argv: readonly string[], session: Session): Promise<ExitCode> {
  const flags: FlagName[] = ['container', 'follow', 'previous', 'since', 'tail', 'timestamps'];
  const args = readArguments(argv, flags, 1);
  const [name] = args.words;
  if (name === undefined) {
    throw new UsageError([{ name: 'POD', rule: 'is missing', remedy: 'pod logs POD' }]);
  }
  const folder = selectPod(session.store, name);
  const wanted = args.text('container');
  const runs = containersOf(folder, wanted, args.has('previous'));
  const names = containerNames(folder);
  const width = Math.max(...names.map((container) => container.length));
  const before = (container: string) =>
    wanted === undefined && names.length > 1
      ? `${prefix(session.terminal, container, names.indexOf(container), width)} `
      : '';
  const printer = new LogPrinter(new Engine(folder.record.engine), before, {
    timestamps: args.has('timestamps'),
    tail: args.text('tail'),
    since: args.milliseconds('since'),
  });
  if (args.has('follow')) await followAll(printer, folder, wanted);
  else if (runs.length === 1 && runs[0]) await printer.print(runs[0], false);
  else await printer.printMerged(runs);
  return ExitCode.ok;
}

/** The runs that have a log: running, ended, or waiting after one. */
export function containersOf(
  folder: PodFolder,
  wanted: string | undefined,
  previous = false,
): LoggedRun[] {
  const names = containerNames(folder);
  if (wanted !== undefined && !names.includes(wanted)) {
    throw new ExpectedError(
      `no container ${wanted} in Pod ${folder.name}: ${nearest(wanted, names) ?? `there are ${names.join(', ')}`}`,
      ExitCode.usage,
    );
  }
  const all = folder.status ? allStatuses(folder.status) : [];
  return all
    .filter(({ name }) => wanted === undefined || name === wanted)
    .flatMap(({ name, containerID, lastState }) => {
      const id = previous ? lastState.terminated?.containerID : containerID;
      return id ? [{ name, id: id.replace(/^\w+:\/\//, '') }] : [];
    });
}

function containerNames({ record }: PodFolder): string[] {
  const { initContainers, containers } = record.pod.spec;
  return [...initContainers, ...containers].map(({ name }) => name);
}

/** Follows every run of the wanted containers, new ones too, until the Pod has ended. */
async function followAll(printer: LogPrinter, folder: PodFolder, wanted: string | undefined) {
  const seen = new Set<string>();
  const printing: Promise<void>[] = [];
  for (;;) {
    const over = !folder.exists || (folder.status !== undefined && hasEnded(folder.status));
    for (const run of folder.exists ? containersOf(folder, wanted) : []) {
      if (seen.has(run.id)) continue;
      seen.add(run.id);
      printing.push(printer.print(run, true));
    }
    if (over) break;
    await pause(INTERVAL);
  }
  await Promise.all(printing);
}

class LogPrinter {
  readonly #engine: Engine;
  readonly #before: (container: string) => string;
  readonly #options: LogOptions;

  constructor(engine: Engine, before: (container: string) => string, options: LogOptions) {
    this.#engine = engine;
    this.#before = before;
    this.#options = options;
  }

  /** Prints one log as it comes, each stream to its own. */
  print({ name, id }: LoggedRun, follow: boolean): Promise<void> {
    const before = this.#before(name);
    const { timestamps } = this.#options;
    const piped = before !== '' || timestamps;
    const words = logArguments(id, follow, this.#options);
    const child = spawn(this.#engine.name, words, {
      env: childEnvironment(this.#engine.clientEnvironment),
      stdio: piped ? ['ignore', 'pipe', 'pipe'] : ['ignore', 'inherit', 'inherit'],
    });
    for (const [input, output] of [
      [child.stdout, process.stdout],
      [child.stderr, process.stderr],
    ] as const) {
      if (!input) continue;
      createInterface({ input }).on('line', (line) => {
        const { time, text } = timestamps ? timedLine(line) : { time: '', text: line };
        output.write(`${before}${timestamps ? `${time} ` : ''}${text}\n`);
      });
    }
    return new Promise((resolve) => {
      child.once('close', () => resolve());
      child.once('error', () => resolve());
    });
  }

  /** Prints several logs in the order of time. */
  async printMerged(runs: readonly LoggedRun[]): Promise<void> {
    const all = await Promise.all(runs.map((run) => this.#read(run)));
    const lines = all.flat().toSorted((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
    for (const { name, time, text, output } of lines) {
      output.write(`${this.#before(name)}${this.#options.timestamps ? `${time} ` : ''}${text}\n`);
    }
  }

  #read({ name, id }: LoggedRun) {
    const words = logArguments(id, false, { ...this.#options, timestamps: true });
    const child = spawn(this.#engine.name, words, {
      env: childEnvironment(this.#engine.clientEnvironment),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const lines: { name: string; time: string; text: string; output: NodeJS.WriteStream }[] = [];
    for (const [input, output] of [
      [child.stdout, process.stdout],
      [child.stderr, process.stderr],
    ] as const) {
      createInterface({ input }).on('line', (line) => {
        lines.push({ name, ...timedLine(line), output });
      });
    }
    return new Promise<typeof lines>((resolve) => {
      child.once('close', () => resolve(lines));
      child.once('error', () => resolve(lines));
    });
  }
}

interface LogOptions {
  readonly timestamps: boolean;
  /** The number of last lines of each log. */
  readonly tail: string | undefined;
  /** Only lines of so many last milliseconds. */
  readonly since: number | undefined;
}

/** Returns the arguments of the engine's command that prints a container's log. */
function logArguments(
  id: string,
  follow: boolean,
  { timestamps, tail, since }: LogOptions,
): string[] {
  return [
    'logs',
    ...(follow ? ['-f'] : []),
    ...(timestamps ? ['--timestamps'] : []),
    ...(tail === undefined ? [] : [`--tail=${tail}`]),
    ...(since === undefined ? [] : [`--since=${new Date(Date.now() - since).toISOString()}`]),
    id,
  ];
}
