import { ExitCode, pause, UsageError } from '@sidekit/core/tool';
import { Engine } from '../engine/engine.ts';
import type { PodFolder } from '../store/folder.ts';
import { type FlagName, readArguments } from './arguments.ts';
import { LogPrinter } from './log-printer.ts';
import { containerNames, containersOf, isRunning, runsOf } from './logged-runs.ts';
import { selectPod } from './select.ts';
import type { Session } from './session.ts';
import { hasEnded } from './summary.ts';
import { prefix } from './terminal.ts';

export const logsHelp = `pod logs POD [-c CONTAINER] [-f] [--previous] [--timestamps] [--tail N] [--since 10m]
  Prints the log of a container, or of all with their names in front in the order of time;
  -f follows them, also over restarts. --previous is the run before the last.
`;

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
  const engine = new Engine(folder.record.engine);
  const tail = args.text('tail');
  const since = args.milliseconds('since');
  const printer = new LogPrinter(engine, before, {
    timestamps: args.has('timestamps'),
    tail: tail === undefined ? undefined : Number(tail),
    since: since === undefined ? undefined : new Date(Date.now() - since),
  });
  if (args.has('follow')) await followAll(printer, folder, wanted, engine);
  else if (runs.length === 1 && runs[0]) await printer.print(runs[0]);
  else await printer.printMerged(runs);
  return ExitCode.ok;
}

/** Follows every run of the wanted containers, new ones too, until the Pod has ended. */
async function followAll(
  printer: LogPrinter,
  folder: PodFolder,
  wanted: string | undefined,
  engine: Engine,
) {
  const seen = new Set(runsOf(folder, wanted, true).map(({ id }) => id));
  const printing: Promise<void>[] = [];
  for (;;) {
    const over = folder.status === undefined ? !folder.exists : hasEnded(folder.status);
    // One that ended before the next check is the run before the last.
    for (const run of [...runsOf(folder, wanted, true), ...runsOf(folder, wanted)]) {
      if (seen.has(run.id)) continue;
      seen.add(run.id);
      printing.push(printer.print(run, () => isRunning(folder, run.id, engine)));
    }
    if (over) break;
    await pause(INTERVAL);
  }
  await Promise.all(printing);
}
