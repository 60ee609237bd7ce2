import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { closeSync, openSync, renameSync, rmSync } from 'node:fs';
import type { Writable } from 'node:stream';
import type { PodFolder } from '../store/folder.ts';
import type { PodStore } from '../store/store.ts';
import { volumeOwner } from './volume-owner.ts';

/** How this program is started again. */
export interface Program {
  /** The path of main.ts. */
  readonly program: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Starts a Pod's supervisor. It outlives this process; its own output goes to the Pod's folder. */
export function superviseDetached(folder: PodFolder, program: Program): void {
  const log = openSync(folder.file('supervisor.log'), 'a', 0o600);
  const { engine } = folder.record;
  const words = ['supervise', folder.path];
  const child = start(volumeOwner(engine), program, words, ['ignore', log, log]);
  closeSync(log);
  // From now on, and not only once the process has come to it: another command must see it.
  if (child.pid !== undefined) folder.pid = child.pid;
}

/**
 * A supervisor that loads its program while this one still reads the manifests, and then waits for
 * its Pod. It ends by itself if it gets none, also if this process is killed.
 */
export class WaitingSupervisor {
  readonly #child: ChildProcess;
  readonly #log: string;
  #free = true;

  /** @param before the words before its command, as of `volumeOwner`. */
  constructor(before: readonly string[], store: PodStore, program: Program) {
    this.#log = store.temporary('supervisor.log');
    const log = openSync(this.#log, 'a', 0o600);
    // The store is for those who list processes.
    const words = ['supervise', '-', store.root];
    this.#child = start(before, program, words, ['pipe', log, log]);
    closeSync(log);
    // One that has ended cannot be given a Pod; that is checked before.
    this.#input.on('error', () => {});
    (this.#input as Writable & { unref(): void }).unref();
  }

  get #input(): Writable {
    const { stdin } = this.#child;
    if (!stdin) throw new Error('its stdin is a pipe');
    return stdin;
  }

  /** Gives it a Pod. @returns false if it cannot take it, since it has ended, for one. */
  supervise(folder: PodFolder): boolean {
    const { pid, exitCode, signalCode } = this.#child;
    const alive = pid !== undefined && exitCode === null && signalCode === null;
    if (!this.#free || !alive) return false;
    try {
      renameSync(this.#log, folder.file('supervisor.log'));
    } catch {
      // The Pods may be on a file system of their own.
      this[Symbol.dispose]();
      return false;
    }
    this.#free = false;
    folder.pid = pid;
    this.#input.end(folder.path);
    return true;
  }

  /** Ends it, unless it has a Pod. */
  [Symbol.dispose](): void {
    if (!this.#free) return;
    this.#free = false;
    this.#input.end();
    rmSync(this.#log, { force: true });
  }
}

function start(
  before: readonly string[],
  { program, environment }: Program,
  words: readonly string[],
  stdio: StdioOptions,
): ChildProcess {
  const [command = '', ...args] = [...before, process.execPath, program, ...words];
  const child = spawn(command, args, { detached: true, stdio, env: environment, cwd: '/' });
  // The Pod's folder shows that nothing was started.
  child.once('error', () => {});
  child.unref();
  return child;
}
