import { type ExitCode, errorText, pause, UsageError } from '@sidekit/core/tool';
import type { FSWatcher } from 'chokidar';
import type { Engine } from '../engine/engine.ts';
import { loadInputs } from '../input/inputs.ts';
import { isUrl } from '../input/url.ts';
import type { ManifestFile } from '../manifest/workload.ts';
import { Launch, type LaunchOptions } from './launch.ts';
import { hasOldImage } from './pod-state.ts';
import type { Session } from './session.ts';
import { allStatuses } from './summary.ts';

/** How often files and images are checked without an event, in milliseconds. */
const INTERVAL = 2000;
/** How long files must be quiet after an event: an editor writes in several steps. */
const QUIET = 100;
/** A tree that is never quiet is read after this time, in milliseconds. */
const IMPATIENCE = 1000;

export interface Watching {
  readonly inputs: readonly string[];
  readonly session: Session;
  readonly engine: Engine;
  readonly options: Pick<LaunchOptions, 'timeout'>;
  /** Applies manifests; the code is undefined if the launch was halted. */
  readonly apply: (files: readonly ManifestFile[], launch: Launch) => Promise<ExitCode | undefined>;
}

/** Refuses what cannot be watched. @throws {UsageError} */
export function checkWatchable(inputs: readonly string[]): void {
  const faults = inputs
    .filter((name) => name === '-' || isUrl(name))
    .map((name) => ({
      name: name === '-' ? 'stdin' : 'a URL',
      rule: 'cannot be watched',
      remedy: 'give files or folders, or leave --watch out',
    }));
  if (faults.length > 0) throw new UsageError(faults);
}

/**
 * Applies the inputs, and again whenever they or the images of their Pods change, until a signal
 * ends the Pods. Faulty manifests are reported, and change nothing.
 */
export async function applyAndWatch(watching: Watching): Promise<ExitCode> {
  const { inputs, session } = watching;
  const { watch } = await import('chokidar');
  const changes = new Changes(watch([...inputs], { ignoreInitial: true, depth: 0 }));
  const rounds = new Rounds(watching);
  try {
    return await Promise.race([rounds.interrupted(session), rounds.follow(changes)]);
  } finally {
    changes.close();
  }
}

/** One launch after another, each of which takes over the Pods of the one before. */
class Rounds {
  readonly #watching: Watching;
  #launch: Launch;
  #work: Promise<void> = Promise.resolve();
  #text = '';
  #fault = '';
  /** Images that a launch was started for: it is not started twice for the same. */
  #images = '';
  #ended = false;

  constructor(watching: Watching) {
    this.#watching = watching;
    this.#launch = new Launch(watching.session, watching.options);
  }

  /** Resolves once a signal has ended the Pods; a second signal ends them at once. */
  interrupted(session: Session): Promise<ExitCode> {
    return new Promise((resolve) => {
      session.onSignal(() => {
        const first = !this.#ended;
        this.#ended = true;
        this.#launch.end(first).then(resolve);
      });
    });
  }

  async follow(changes: Changes): Promise<never> {
    for (;;) {
      await this.#check().catch((error: unknown) => this.#report(errorText(error)));
      await changes.next();
    }
  }

  async #check() {
    if (this.#ended) return;
    const { inputs } = this.#watching;
    // A file that is being replaced is missing for a moment.
    const files = await loadInputs(inputs).catch(async () => {
      await pause(QUIET);
      return loadInputs(inputs);
    });
    const text = JSON.stringify(files);
    if (text !== this.#text) {
      this.#text = text;
      return this.#start(files, new Map());
    }
    const images = await this.#imageIds();
    const seen = JSON.stringify([...images]);
    if (seen === this.#images) return;
    this.#images = seen;
    if (this.#launch.folders.some((folder) => folder.exists && hasOldImage(folder, images))) {
      await this.#start(files, images);
    }
  }

  async #start(files: readonly ManifestFile[], images: ReadonlyMap<string, string>) {
    this.#launch.halt();
    await this.#work;
    if (this.#ended) return;
    const { session, options, apply } = this.#watching;
    const earlier = this.#launch.folders.filter(({ exists }) => exists);
    const launch = new Launch(session, { ...options, earlier, images });
    this.#launch = launch;
    this.#work = apply(files, launch).then(
      (code) => {
        this.#fault = '';
        if (code !== undefined) session.print('watching for changes; Ctrl-C ends the Pods');
      },
      (error: unknown) => this.#report(errorText(error)),
    );
  }

  /** The ids of the images of all Pods that run. */
  async #imageIds(): Promise<ReadonlyMap<string, string>> {
    const running = this.#launch.folders.flatMap(({ exists, status }) =>
      exists && status ? allStatuses(status).map(({ image }) => image) : [],
    );
    const ids = new Map<string, string>();
    for (const name of new Set(running)) {
      const image = await this.#watching.engine.image(name).catch(() => undefined);
      if (image) ids.set(name, image.id);
    }
    return ids;
  }

  /** Reports a fault once, until it changes. */
  #report(fault: string) {
    if (fault === this.#fault || this.#ended) return;
    this.#fault = fault;
    this.#watching.session.print(`${fault}\nnothing was changed; waiting for the next change`);
  }
}

/** Events of the files that are watched, as wake-ups. */
class Changes {
  readonly #watcher: FSWatcher;
  #changed = Promise.withResolvers<void>();
  #last = 0;

  constructor(watcher: FSWatcher) {
    this.#watcher = watcher;
    watcher.on('all', () => {
      this.#last = performance.now();
      this.#changed.resolve();
    });
    // Without events the interval remains.
    watcher.on('error', () => {});
  }

  /** Resolves after the next change, once it is quiet, or after the interval. */
  async next(): Promise<void> {
    await Promise.race([this.#changed.promise, pause(INTERVAL)]);
    this.#changed = Promise.withResolvers();
    const begin = performance.now();
    for (;;) {
      const now = performance.now();
      const rest = this.#last + QUIET - now;
      if (rest <= 0 || now - begin > IMPATIENCE) return;
      await pause(rest);
    }
  }

  close(): void {
    this.#watcher.close().catch(() => {});
  }
}
