import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { EngineName } from './find.ts';

/** A container of ours that ended, as the engine's event says. */
export interface Died {
  readonly id: string;
  readonly exitCode: number;
}

/** The pause before a stream that broke off is taken up again, in milliseconds. */
const RECONNECT = 200;

/**
 * Follows the ends of containers with a label, from `since` on, by one stream of the engine's
 * events: no polling, and an end is known in milliseconds. A stream that breaks off (a restarted
 * daemon) is taken up where it ended. Returns the function that stops.
 */
export function followDeaths(
  engine: EngineName,
  label: string,
  since: Date,
  onDied: (died: Died) => void,
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
      const died = readDeath(line);
      // Events of the moment of a reconnection come twice.
      if (!died || seen.has(died.id)) return;
      seen.add(died.id);
      onDied(died);
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

function readDeath(line: string): Died | undefined {
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
