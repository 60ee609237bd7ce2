import { ExitCode, pause } from '@sidekit/core/tool';
import type { ControllerRef } from '../manifest/types.ts';
import type { PodFolder } from '../store/folder.ts';
import type { PodRecord } from '../store/record.ts';
import { sendControl } from '../supervisor/control.ts';
import { superviseDetached } from '../supervisor/detach.ts';
import { begun, removePods } from './down.ts';
import { Progress, reasonsOf } from './progress.ts';
import { podsOf } from './select.ts';
import { printAddresses } from './services.ts';
import type { Session } from './session.ts';
import { allStatuses, hasEnded, isLost, isReady, stateOf } from './summary.ts';

/** Exit code of a command that a signal ended, as a shell shows it. */
const INTERRUPTED = 130 as ExitCode;
/** How often the Pods' folders are checked while `up` waits, in milliseconds. */
const INTERVAL = 20;
/** How long a supervisor may take until it has written its first status, in milliseconds. */
const SUPERVISOR_START = 10_000;
/** Reasons that waiting does not resolve: `up` fails at once. */
const PERMANENT = /^(ErrImageNeverPull|ErrImagePull|CreateContainerConfigError)$/;

/** A Pod's record without the fields that the store adds. */
export type NewRecord = Omit<PodRecord, 'volumes' | 'store'>;

/** Starts and follows the Pods of one `up`. */
export class Launch {
  readonly folders: PodFolder[] = [];
  readonly #session: Session;
  readonly #progress: Progress;
  readonly #timeout: number;
  readonly #deadline: number;
  #stopping = false;

  constructor(session: Session, timeout: number) {
    this.#session = session;
    this.#progress = new Progress(session);
    this.#timeout = timeout;
    this.#deadline = performance.now() + timeout;
  }

  /** Resolves once a signal has ended the Pods; a second signal ends them at once. */
  onInterrupt(): Promise<ExitCode> {
    return new Promise((resolve) => {
      let count = 0;
      this.#session.onSignal(() => {
        count++;
        this.#stopping = true;
        this.#progress.say(
          count === 1 ? 'stopping the Pods; again to kill them' : 'killing the Pods',
        );
        const grace = count === 1 ? undefined : 0;
        removePods(this.folders, this.#session, grace).then(
          () => resolve(INTERRUPTED),
          () => resolve(ExitCode.internal),
        );
      });
    });
  }

  /** Starts the Pods, after those of the same controllers that are no longer wanted were removed. */
  async run(
    records: readonly NewRecord[],
    controllers: readonly ControllerRef[],
    foreground: boolean,
  ): Promise<ExitCode> {
    await this.#removeSurplus(records, controllers);
    for (const record of records) {
      const before = this.folders.find(({ name }) => name === record.pod.after);
      // A StatefulSet's Pods come one after the other.
      if (before) {
        const code = await this.#follow([before]);
        if (code !== ExitCode.ok) return code;
      }
      if (this.#stopping) break;
      await this.#startOrUpdate(record);
    }
    const code = await this.#follow(this.folders);
    if (code === ExitCode.ok && foreground) return this.#stay();
    return code;
  }

  /** Scaled down, or with other names: the controller would end its other Pods, too. */
  async #removeSurplus(records: readonly NewRecord[], controllers: readonly ControllerRef[]) {
    const wanted = new Set(records.map(({ pod }) => pod.metadata.name));
    // The Pods of a Job follow one another.
    const scaled = controllers.filter(({ kind }) => kind !== 'Job');
    const surplus = podsOf(this.#session.store, scaled).filter(({ name }) => !wanted.has(name));
    for (const { name } of surplus) this.#progress.say(`${name}: removed, no longer wanted`);
    await removePods(surplus, this.#session, undefined);
  }

  async #startOrUpdate(wanted: NewRecord) {
    const { store } = this.#session;
    const { name } = wanted.pod.metadata;
    const folder = store.pod(name);
    let known = 0;
    while (!folder.claim()) {
      await begun(folder);
      if (isCurrent(folder) && canUpdate(folder.record, wanted)) break;
      this.#progress.say(`${name}: replaced`);
      await removePods([folder], this.#session, undefined);
    }
    if (folder.exists) {
      const { configMaps, secrets, pod } = wanted;
      known = folder.timeline.length;
      folder.record = { ...folder.record, configMaps, secrets, pod };
      await sendControl(folder.socket, { type: 'update' });
      this.#progress.say(`${name}: unchanged, its ConfigMaps and Secrets are updated`);
    } else {
      const record = { ...wanted, store: store.root, volumes: store.volumes(wanted.uid) };
      folder.record = record;
      superviseDetached(folder, this.#session);
    }
    this.folders.push(folder);
    this.#progress.add(folder, known);
  }

  async #follow(folders: PodFolder[]): Promise<ExitCode> {
    for (;;) {
      // The Pods are stopping because of the signal, which decides the exit code.
      if (this.#stopping) return new Promise(() => {});
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

  #report(folders: readonly PodFolder[], what: string, code: ExitCode): ExitCode {
    if (this.#stopping) return code;
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
  async #stay(): Promise<ExitCode> {
    printAddresses(this.folders, this.#session);
    for (;;) {
      const states = this.folders.map(outcome);
      this.#handOver(this.folders, states);
      const going = (folder: PodFolder, index: number) =>
        states[index] === 'waiting' || states[index] === 'next' || !isOver(folder);
      if (!this.folders.some(going)) break;
      this.#progress.show();
      await pause(200);
    }
    // A signal ended them and decides the exit code.
    if (this.#stopping) return new Promise(() => {});
    this.#progress.show();
    const failed = this.folders.some(({ status }) => status?.status.phase === 'Failed');
    return failed ? ExitCode.internal : ExitCode.ok;
  }
}

/**
 * Whether the running Pod can stay: of its own fields, only activeDeadlineSeconds may change, and
 * only to be set or lowered (API: ValidatePodUpdate).
 */
function canUpdate(before: PodRecord, after: NewRecord): boolean {
  const comparable = ({ pod, services, hostPorts, serviceVariables, engine }: NewRecord) => {
    const spec = { ...pod.spec, activeDeadlineSeconds: undefined };
    return JSON.stringify([{ ...pod, spec }, services, hostPorts, serviceVariables, engine.name]);
  };
  const old = before.pod.spec.activeDeadlineSeconds ?? Number.POSITIVE_INFINITY;
  const wanted = after.pod.spec.activeDeadlineSeconds ?? Number.POSITIVE_INFINITY;
  return wanted <= old && comparable(before) === comparable(after);
}

function isOver({ status }: PodFolder): boolean {
  return !status || hasEnded(status);
}

/** Whether it is supervised and not an ended Pod of a Job that continues. */
function isCurrent(folder: PodFolder): boolean {
  const { status } = folder;
  const over = folder.exists && folder.record.pod.job && status && hasEnded(status);
  // One that is being deleted is replaced once it is gone.
  return folder.supervised && !over && !status?.metadata.deletionTimestamp;
}

/** Returns `next` if its Job continues with another Pod. */
function outcome(folder: PodFolder): 'good' | 'bad' | 'waiting' | 'next' {
  const { status } = folder;
  if (!folder.exists) return 'bad';
  if (!status) return 'waiting';
  if (hasEnded(status) && folder.record.pod.job) {
    // Its supervisor decides whether there is another Pod, and ends only then.
    if (folder.supervised) return 'waiting';
    if (folder.successor !== undefined) return 'next';
  }
  // Its supervisor was killed: nobody would make it Ready.
  if (isLost(folder)) return 'bad';
  if (status.status.phase === 'Failed') return 'bad';
  if (status.status.phase === 'Succeeded') return 'good';
  const reasons = allStatuses(status).map((container) => stateOf(container)?.reason ?? '');
  if (reasons.some((reason) => PERMANENT.test(reason))) return 'bad';
  return status.spec.restartPolicy === 'Always' && isReady(status) ? 'good' : 'waiting';
}
