import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { EngineName } from './find.ts';

/** The exit of one of pod's containers, as the engine's event reports it. */
export interface ExitEvent {
  readonly id: string;
  readonly exitCode: number;
}

/** The pause before a broken stream is reopened, in milliseconds. */
const RECONNECT = 200;

/**
 * Follows the exits of containers with a label, from `since` on, by one stream of the engine's
 * events: no polling, and an exit is known within milliseconds. A stream that breaks (a restarted
 * daemon) resumes from its last instant. Returns the function that stops.
 */
export function followExits(
  engine: EngineName,
  label: string,
  since: Date,
  onExit: (exit: ExitEvent) => void,
): () => void {
  const [event, format] = engine === 'podman' ? ['died', 'json'] : ['die', '{{json .}}'];
  const seen = new Set<string>();
  let from = since;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let child: ReturnType<typeof spawn> | undefined;
  const follow = () => {
    const words = ['events', '--since', from.toISOString(), '--format', format ?? ''];
    const filters = ['--filter', `label=${label}`, '--filter', `event=${event}`];
    from = new Date();
    const stream = spawn(engine, [...words, ...filters], { stdio: ['ignore', 'pipe', 'ignore'] });
    child = stream;
    createInterface({ input: stream.stdout }).on('line', (line) => {
      const exit = readExit(line);
      // Events around a reconnection arrive twice.
      if (!exit || seen.has(exit.id)) return;
      seen.add(exit.id);
      onExit(exit);
    });
    stream.once('error', () => {});
    stream.once('close', () => {
      if (!stopped) timer = setTimeout(follow, RECONNECT);
    });
  };
  follow();
  return () => {
    stopped = true;
    clearTimeout(timer);
    child?.kill();
  };
}

function readExit(line: string): ExitEvent | undefined {
  try {
    const event = JSON.parse(line);
    // Podman 4's own field, Docker's attribute, Podman 5's attribute.
    const code =
      event.ContainerExitCode ??
      event.Actor?.Attributes?.exitCode ??
      event.Attributes?.containerExitCode;
    return { id: event.ID ?? event.Actor?.ID ?? event.id, exitCode: Number(code ?? 0) };
  } catch {
    return undefined;
  }
}
