import { chmodSync, closeSync, mkdirSync, openSync, readSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Mount } from '../engine/container-config.ts';
import type { Engine } from '../engine/engine.ts';
import type { ExitEvent } from '../engine/exit-events.ts';
import type { Run } from '../lifecycle/types.ts';
import type { ContainerSpec } from '../manifest/types.ts';

/** The most that is read of a termination message, in bytes, and of a log instead of one. */
const MESSAGE_LIMIT = 4096;
const LOG_LIMIT = 2048;
const LOG_LINES = 80;

/** The running containers by the engine's ids, and how the ended ones ended. */
export class Runs {
  readonly #engine: Engine;
  readonly #messages: string;
  readonly #byId = new Map<string, Run>();
  /** Exits that were reported before `run` had returned the container's id. */
  readonly #early = new Map<string, ExitEvent>();
  readonly #killed = new Set<string>();

  constructor(engine: Engine, messages: string) {
    this.#engine = engine;
    this.#messages = messages;
  }

  get ids(): readonly string[] {
    return [...this.#byId.keys()];
  }

  /** The containers that run. */
  get running(): readonly { readonly id: string; readonly name: string }[] {
    return [...this.#byId].map(([id, { container }]) => ({ id, name: container }));
  }

  idOf({ container, attempt }: Run): string | undefined {
    for (const [id, run] of this.#byId) {
      if (run.container === container && run.attempt === attempt) return id;
    }
    return undefined;
  }

  /** Adds a run; returns its exit if that was reported earlier. */
  add(id: string, run: Run): ExitEvent | undefined {
    this.#byId.set(id, run);
    const early = this.#early.get(id);
    this.#early.delete(id);
    return early;
  }

  /** Removes a run that has ended; an exit that is not known yet is kept for `add`. */
  take(exit: ExitEvent): Run | undefined {
    const run = this.#byId.get(exit.id);
    if (run) this.#byId.delete(exit.id);
    else this.#early.set(exit.id, exit);
    return run;
  }

  async signal(run: Run, signal: string): Promise<void> {
    const id = this.idOf(run);
    if (!id) return;
    if (signal === 'SIGKILL') this.#killed.add(id);
    await this.#engine.signal(id, signal);
  }

  /** The file that a container's termination message is read from, as a mount. */
  messageMount(
    { container, attempt }: Run,
    { terminationMessagePath: target }: ContainerSpec,
  ): Mount {
    mkdirSync(this.#messages, { recursive: true, mode: 0o700 });
    const source = this.#messageFile({ container, attempt });
    writeFileSync(source, '');
    chmodSync(source, 0o666);
    return { source, target, readOnly: false };
  }

  /** Returns how a run ended: OOMKilled if the kernel killed it for its memory, and its termination message. */
  async ending(
    { id, exitCode }: ExitEvent,
    run: Run,
    spec: ContainerSpec,
  ): Promise<{ reason?: string; message?: string }> {
    const oom = exitCode === 137 && !this.#killed.has(id) && (await this.#outOfMemory(id, spec));
    this.#killed.delete(id);
    let message = readStart(this.#messageFile(run), MESSAGE_LIMIT);
    if (
      message === '' &&
      exitCode !== 0 &&
      spec.terminationMessagePolicy === 'FallbackToLogsOnError'
    ) {
      message = (await this.#engine.tail(id, LOG_LINES)).slice(-LOG_LIMIT).trimEnd();
    }
    return { ...(oom ? { reason: 'OOMKilled' } : {}), ...(message ? { message } : {}) };
  }

  /**
   * Podman does not report it on cgroup v1: there, a SIGKILL that pod did not send, to a container
   * with a memory limit, is attributed to the kernel.
   */
  async #outOfMemory(id: string, { resources }: ContainerSpec): Promise<boolean> {
    if ((await this.#engine.inspect(id))?.oomKilled) return true;
    return this.#engine.name === 'podman' && resources.limits.memory !== undefined;
  }

  #messageFile({ container, attempt }: Run): string {
    return join(this.#messages, `${container}-${attempt}`);
  }
}

function readStart(path: string, limit: number): string {
  try {
    const file = openSync(path, 'r');
    try {
      const buffer = Buffer.alloc(limit);
      return buffer.toString('utf8', 0, readSync(file, buffer, 0, limit, 0));
    } finally {
      closeSync(file);
    }
  } catch {
    return '';
  }
}
