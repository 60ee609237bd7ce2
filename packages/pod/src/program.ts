import { dirname, join } from 'node:path';
import {
  ExitCode,
  ExpectedError,
  errorText,
  nearest,
  reportFailure,
  UsageError,
  version,
  visible,
} from '@sidekit/core/tool';
import { counterpart } from './commands/counterparts.ts';
import type { Session } from './commands/session.ts';
import { ManifestError } from './manifest/manifest-error.ts';
import { PodFolder } from './store/folder.ts';
import { PodStore, type StoreFolders } from './store/store.ts';

/** The process's environment; only main.ts reads it. */
export interface Surroundings {
  readonly folders: StoreFolders;
  /** stdout is a terminal. */
  readonly live: boolean;
  readonly colours: boolean;
  readonly engine: string | undefined;
  readonly program: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly print: (text: string) => void;
  readonly onSignal: (names: readonly NodeJS.Signals[], callback: () => void) => void;
}

interface Command {
  readonly help: string;
  readonly run: (argv: readonly string[], session: Session) => Promise<ExitCode> | ExitCode;
}

/** Commands, each loaded when it is called. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  up: async () => {
    const { up, upHelp } = await import('./commands/up.ts');
    return { help: upHelp, run: up };
  },
  ps: async () => {
    const { ps, psHelp } = await import('./commands/ps.ts');
    return { help: psHelp, run: ps };
  },
  logs: async () => {
    const { logs, logsHelp } = await import('./commands/logs.ts');
    return { help: logsHelp, run: logs };
  },
  exec: async () => {
    const { exec, execHelp } = await import('./commands/exec.ts');
    return { help: execHelp, run: exec };
  },
  events: async () => {
    const { events, eventsHelp } = await import('./commands/events.ts');
    return { help: eventsHelp, run: events };
  },
  volumes: async () => {
    const { volumes, volumesHelp } = await import('./commands/volumes.ts');
    return { help: volumesHelp, run: volumes };
  },
  check: async () => {
    const { check, checkHelp } = await import('./commands/check.ts');
    return { help: checkHelp, run: check };
  },
  debug: async () => {
    const { debug, debugHelp } = await import('./commands/debug.ts');
    return { help: debugHelp, run: debug };
  },
  explain: async () => {
    const { explain, explainHelp } = await import('./commands/explain.ts');
    return { help: explainHelp, run: explain };
  },
  view: async () => {
    const { view, viewHelp } = await import('./commands/view.ts');
    return { help: viewHelp, run: view };
  },
  down: async () => {
    const { down, downHelp } = await import('./commands/down.ts');
    return { help: downHelp, run: down };
  },
};

/** Runs one command; every failure becomes a sentence and an exit code. */
export async function runProgram(
  [name = '--help', ...argv]: readonly string[],
  around: Surroundings,
): Promise<ExitCode> {
  const say = (text: string) => {
    around.print(text);
    return ExitCode.ok;
  };
  try {
    if (name === '--help' || name === '-h' || name === 'help') {
      const [topic = ''] = argv;
      const about = Object.hasOwn(COMMANDS, topic) ? await COMMANDS[topic]?.() : undefined;
      return say(about?.help ?? (await overview()));
    }
    if (name === '--version') return say(`${version}\n`);
    if (name === 'remove-volumes' && argv[0] !== undefined) {
      const { removeVolumes } = await import('./volumes/pod-volumes.ts');
      removeVolumes(argv[0]);
      return ExitCode.ok;
    }
    if (name === 'supervise' && argv[0] !== undefined) return await supervise(argv[0], around);
    const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
    if (!load) {
      throw new UsageError([
        {
          name,
          rule: 'is not a command',
          remedy: counterpart(name) ?? nearest(name, Object.keys(COMMANDS)),
        },
      ]);
    }
    const command = await load();
    const own = argv.includes('--') ? argv.slice(0, argv.indexOf('--')) : argv;
    if (own.includes('--help') || own.includes('-h')) return say(command.help);
    return await command.run(argv, makeSession(around));
  } catch (error) {
    if (!(error instanceof ManifestError)) return reportFailure(expected(error), 'pod');
    const count = error.faults.length === 1 ? '1 fault' : `${error.faults.length} faults`;
    const outcome = name === 'check' ? count : `nothing was started: ${count}`;
    process.stderr.write(`${visible(error.message)}\npod: ${outcome}\n`);
    return error.exitCode;
  }
}

/** An error of the system, such as a full disk, is no fault of the program: a sentence suffices. */
function expected(error: unknown): unknown {
  const isSystem = error instanceof Error && 'syscall' in error;
  return isSystem ? new ExpectedError(errorText(error)) : error;
}

function makeSession(around: Surroundings): Session {
  return {
    store: PodStore.open(around.folders),
    terminal: { live: around.live, colours: around.colours },
    search: (wanted) => ({
      wanted: wanted ?? around.engine,
      podmanSocket: join(around.folders.root, 'sockets/podman'),
      environment: around.environment,
    }),
    program: around.program,
    environment: around.environment,
    print: (line) => around.print(`${visible(line)}\n`),
    draw: (text) => around.print(`${text}\n`),
    onSignal: (callback) => around.onSignal(['SIGINT', 'SIGTERM'], callback),
  };
}

/**
 * Runs the detached half of `up`: supervises one Pod until it has ended.
 * @param place the Pod's folder, or `-` if that is written to stdin.
 */
async function supervise(place: string, around: Surroundings): Promise<ExitCode> {
  // Containers of any user read what it writes: the umask of whoever started it is not theirs.
  process.umask(0o022);
  const [{ assignedPod }, { Supervisor }, { JobContinuation }, { superviseDetached }] =
    await Promise.all([
      import('./supervisor/assigned-pod.ts'),
      import('./supervisor/supervisor.ts'),
      import('./supervisor/job.ts'),
      import('./supervisor/detach.ts'),
    ]);
  const path = place === '-' ? await assignedPod() : place;
  if (path === undefined) return ExitCode.ok;
  const folder = new PodFolder(path);
  const { store: root, volumes } = folder.record;
  // As the record says: in a user namespace this process has another UID.
  const store = new PodStore({ root, data: dirname(volumes) });
  const supervisor = new Supervisor(folder, store.endpoints);
  const job = new JobContinuation(folder, store, (next) => superviseDetached(next, around));
  // A terminal that closes, or a Ctrl-C meant for others, does not end a Pod: `pod down` does.
  around.onSignal(['SIGHUP', 'SIGINT'], () => {});
  around.onSignal(['SIGTERM'], () => {
    supervisor.terminate();
    job.cancel();
  });
  await supervisor.run();
  await job.run();
  return ExitCode.ok;
}

async function overview(): Promise<string> {
  const commands = await Promise.all(Object.values(COMMANDS).map((load) => load()));
  const helps = commands.map(({ help }) => help).join('\n');
  return `pod: runs Kubernetes Pods on Docker or Podman with the kubelet's lifecycle, without a cluster.\n\n${helps}`;
}
