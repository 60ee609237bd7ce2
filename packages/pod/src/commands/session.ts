import type { EngineSearch } from '../engine/find.ts';
import type { PodStore } from '../store/store.ts';
import type { Terminal } from './terminal.ts';

/** A command's view of its process; created in main.ts. */
export interface Session {
  readonly store: PodStore;
  readonly terminal: Terminal;
  /** Returns how to find the engine that a flag, or else the environment, requests. */
  readonly search: (wanted: string | undefined) => EngineSearch;
  /** The path of main.ts, to start supervisors by. */
  readonly program: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Prints a line, or several; what a terminal would obey is shown as an escape. */
  readonly print: (line: string) => void;
  /** Prints lines that were made for a terminal. */
  readonly draw: (text: string) => void;
  /** Calls back for every SIGINT and SIGTERM from now on. */
  readonly onSignal: (callback: () => void) => void;
}
