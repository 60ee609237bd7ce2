import { createInterface } from 'node:readline';
import type { EngineApi } from './api.ts';
import type { EngineName } from './find.ts';

/** The exit of one of pod's containers, as the engine's event reports it. */
export interface ExitEvent {
  readonly id: string;
  readonly exitCode: number;
}

export interface ExitFilter {
  readonly engine: EngineName;
  /** The version prefix of paths. */
  readonly root: string;
  readonly label: string;
  readonly since: Date;
}

/** The first and the longest pause before a broken stream is reopened, in milliseconds. */
const RECONNECT = 200;
const LONGEST = 5000;

/**
 * Follows the exits of containers with a label, from `since` on, by one stream of the engine's
 * events: no polling, and an exit is known within milliseconds. A stream that breaks (a restarted
 * daemon) resumes from its last instant. Returns the function that stops.
 */
export function followExits(
  api: EngineApi,
  { engine, root, label, since }: ExitFilter,
  onExit: (exit: ExitEvent) => void,
): () => void {
  const seen = new Set<string>();
  const stop = new AbortController();
  let from = since;
  let timer: NodeJS.Timeout | undefined;
  let wait = RECONNECT;
  const follow = async () => {
    const query = {
      since: Math.floor(from.getTime() / 1000),
      filters: JSON.stringify({
        label: [label],
        event: engine === 'podman' ? ['died', 'die'] : ['die'],
      }),
    };
    const begun = new Date();
    try {
      const { signal } = stop;
      const stream = await api.open('GET', `${root}/events`, { query, signal });
      wait = RECONNECT;
      for await (const line of createInterface({ input: stream })) {
        const exit = readExit(line);
        // Events around a reconnection arrive twice.
        if (!exit || seen.has(exit.id)) continue;
        seen.add(exit.id);
        onExit(exit);
      }
      from = begun;
    } catch {
      // The engine is being restarted.
    }
    if (stop.signal.aborted) return;
    timer = setTimeout(follow, wait);
    wait = Math.min(LONGEST, wait * 2);
  };
  follow();
  return () => {
    stop.abort();
    clearTimeout(timer);
  };
}

function readExit(line: string): ExitEvent | undefined {
  try {
    const { Actor } = JSON.parse(line);
    const { exitCode, containerExitCode } = Actor.Attributes;
    return { id: Actor.ID, exitCode: Number(exitCode ?? containerExitCode ?? 0) };
  } catch {
    return undefined;
  }
}
