import { ExitCode, pause } from '@sidekit/core/tool';
import type { ControllerRef } from '../manifest/types.ts';
import type { PodFolder } from '../store/folder.ts';
import { sendControl } from '../supervisor/control.ts';
import { superviseDetached, type WaitingSupervisor } from '../supervisor/detach.ts';
import { printAddresses } from './addresses.ts';
import { begun, removePods } from './down.ts';
import {
  canUpdate,
  hasOldImage,
  isControlled,
  isCurrent,
  isOver,
  type NewRecord,
  outcome,
} from './pod-state.ts';
import { Progress, reasonsOf } from './progress.ts';
import { podsOf } from './select.ts';
import type { Session } from './session.ts';
import { isReady } from './summary.ts';

/** Exit code of a command that a signal ended, as a shell shows it. */
const INTERRUPTED = 130 as ExitCode;
/** How often the Pods' folders are checked while `up` waits, in milliseconds. */
const INTERVAL = 20;
/** How long a supervisor may take until it has written its first status, in milliseconds. */
const SUPERVISOR_START = 10_000;

export interface LaunchOptions {
  /** How long the Pods may take to be Ready, in milliseconds. */
  readonly timeout: number;
  /** Pods of an earlier launch of the same files: those that are no longer in them are removed. */
  readonly earlier?: readonly PodFolder[];
  /** Ids of images: a Pod that runs another one of that name is replaced. */
  readonly images?: ReadonlyMap<string, string>;
  /** A supervisor for the first Pod that is started. */
  readonly waiting?: () => WaitingSupervisor | undefined;
}

/** Starts and follows the Pods of one `up`. */
export class Launch {
  readonly #folders: PodFolder[] = [];
  readonly #earlier: readonly PodFolder[];
  readonly #images: ReadonlyMap<string, string>;
  readonly #session: Session;
  readonly #waiting: () => WaitingSupervisor | undefined;
  readonly #progress: Progress;
  readonly #timeout: number;
  readonly #deadline: number;
  #stopping = false;

  constructor(
    session: Session,
    { timeout, earlier = [], images = new Map(), waiting = () => undefined }: LaunchOptions,
  ) {
    this.#session = session;
    this.#progress = new Progress(session);
    this.#earlier = earlier;
    this.#images = images;
    this.#waiting = waiting;
    this.#timeout = timeout;
    this.#deadline = performance.now() + timeout;
  }

  /** The Pods of this launch, and those of earlier ones that it has not come to. */
  get folders(): readonly PodFolder[] {
    const own = new Set(this.#folders.map(({ name }) => name));
    return [...this.#folders, ...this.#earlier.filter(({ name }) => !own.has(name))];
  }

  /** Starts and follows nothing more; the Pods stay. */
  halt(): void {
    this.#stopping = true;
  }

  /** Ends the Pods: `first` gracefully, or else at once. */
  async end(first: boolean): Promise<ExitCode> {
    this.halt();
    this.#progress.say(first ? 'stopping the Pods; again to kill them' : 'killing the Pods');
    return removePods(this.folders, this.#session, first ? undefined : 0).then(
      () => INTERRUPTED,
      () => ExitCode.internal,
    );
  }

  /**
   * Starts the Pods, after those that are no longer wanted were removed.
   * @returns the exit code; undefined if the launch was halted.
   */
  async run(
    records: readonly NewRecord[],
    controllers: readonly ControllerRef[],
    foreground: boolean,
  ): Promise<ExitCode | undefined> {
    await this.#removeSurplus(records, controllers);
    for (const record of records) {
      const before = this.#folders.find(({ name }) => name === record.pod.after);
      // A StatefulSet's Pods come one after the other.
      if (before) {
        const code = await this.#follow([before]);
        if (code !== ExitCode.ok) return code;
      }
      if (this.#stopping) break;
      await this.#startOrUpdate(record);
    }
    this.#waiting()?.[Symbol.dispose]();
    const code = await this.#follow(this.#folders);
    if (code === ExitCode.ok && foreground) return this.#stay();
    return code;
  }

  /** Scaled down, or with other names: the controller would end its other Pods, too. */
  async #removeSurplus(records: readonly NewRecord[], controllers: readonly ControllerRef[]) {
    const wanted = new Set(records.map(({ pod }) => pod.metadata.name));
    // The Pods of a Job follow one another.
    const scaled = controllers.filter(({ kind }) => kind !== 'Job');
    const surplus = podsOf(this.#session.store, scaled).filter(({ name }) => !wanted.has(name));
    const gone = this.#earlier.filter(
      (folder) => folder.exists && !wanted.has(folder.name) && !isControlled(folder, controllers),
    );
    const unwanted = [...new Map([...surplus, ...gone].map((one) => [one.name, one])).values()];
    for (const { name } of unwanted) this.#progress.say(`${name}: removed, no longer wanted`);
    await removePods(unwanted, this.#session, undefined);
  }

  async #startOrUpdate(wanted: NewRecord) {
    const { store } = this.#session;
    const { name } = wanted.pod.metadata;
    const folder = store.pod(name);
    let known = 0;
    while (!folder.claim()) {
      await begun(folder);
      const update = isCurrent(folder) && canUpdate(folder.record, wanted);
      const outdated = update && hasOldImage(folder, this.#images);
      if (update && !outdated) break;
      if (folder.exists)
        this.#progress.say(`${name}: replaced${outdated ? ', its image has changed' : ''}`);
      await removePods([folder], this.#session, undefined);
    }
    if (this.#stopping) {
      if (!folder.exists) folder.remove();
      return;
    }
    if (folder.exists) {
      const { configMaps, secrets, pod } = wanted;
      known = folder.timeline.length;
      folder.record = { ...folder.record, configMaps, secrets, pod };
      while (folder.supervised && !(await sendControl(folder.socket, { type: 'update' })))
        await pause(10);
      this.#progress.say(`${name}: unchanged, its ConfigMaps and Secrets are updated`);
    } else {
      const record = { ...wanted, store: store.root, volumes: store.volumes(wanted.uid) };
      folder.record = record;
      if (!this.#waiting()?.supervise(folder)) superviseDetached(folder, this.#session);
    }
    this.#folders.push(folder);
    this.#progress.add(folder, known);
  }

  async #follow(folders: PodFolder[]): Promise<ExitCode | undefined> {
    for (;;) {
      if (this.#stopping) return undefined;
      this.#progress.show();
      const states = folders.map(outcome);
      if (states.includes('next')) {
        this.#handOver(folders, states);
        continue;
      }
      if (states.every((state) => state === 'good')) return ExitCode.ok;
      const bad = folders.filter((_, i) => states[i] === 'bad');
      if (bad.length > 0) return this.#report(bad, 'failed', ExitCode.internal);
      const begun = folders.every(({ status }) => status !== undefined);
      // A short timeout still waits for the supervisors: without them there is nothing to show.
      if (performance.now() > this.#deadline + (begun ? 0 : SUPERVISOR_START)) {
        // A Pod that runs to completion and is Ready has not ended yet.
        const late = folders.filter(
          ({ status }, i) => states[i] === 'waiting' && !(status && isReady(status)),
        );
        if (late.length === 0) return ExitCode.ok;
        return this.#report(
          late,
          `not Ready within ${this.#timeout / 1000} s`,
          ExitCode.unavailable,
        );
      }
      await pause(INTERVAL);
    }
  }

  /** Follows the Pods that Jobs have created after those that ended. */
  #handOver(folders: PodFolder[], states: readonly string[]) {
    for (const [index, folder] of folders.entries()) {
      const { successor } = folder;
      if (states[index] !== 'next' || successor === undefined) continue;
      const next = this.#session.store.pod(successor);
      folders[index] = next;
      this.#progress.add(next);
    }
  }

  #report(folders: readonly PodFolder[], what: string, code: ExitCode): ExitCode | undefined {
    if (this.#stopping) return undefined;
    // Events since the last check.
    this.#progress.show();
    for (const folder of folders) {
      this.#progress.say(`${folder.name}: ${what}: ${reasonsOf(folder)}`);
    }
    const [{ name } = { name: '' }] = folders;
    this.#progress.say(`see: pod logs ${name}, pod events ${name}; remove: pod down ${name}`);
    return code;
  }

  /** Follows the Pods until they have ended. */
  async #stay(): Promise<ExitCode | undefined> {
    printAddresses(this.#folders, this.#session);
    for (;;) {
      const states = this.#folders.map(outcome);
      this.#handOver(this.#folders, states);
      const going = (folder: PodFolder, index: number) =>
        states[index] === 'waiting' || states[index] === 'next' || !isOver(folder);
      if (!this.#folders.some(going)) break;
      this.#progress.show();
      await pause(200);
    }
    // A signal ended them and decides the exit code.
    if (this.#stopping) return undefined;
    this.#progress.show();
    const failed = this.#folders.some(({ status }) => status?.status.phase === 'Failed');
    return failed ? ExitCode.internal : ExitCode.ok;
  }
}
