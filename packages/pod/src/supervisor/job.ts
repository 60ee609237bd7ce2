import { randomUUID } from 'node:crypto';
import { LONGEST_TIMER } from '@sidekit/core/tool';
import { BACKOFF_BASE } from '../lifecycle/backoff.ts';
import { afterFailure } from '../lifecycle/job.ts';
import { type JobPlace, jobPodName } from '../manifest/kinds/job-pods.ts';
import type { PodFolder } from '../store/folder.ts';
import type { PodRecord } from '../store/record.ts';
import type { PodStore } from '../store/store.ts';
import { sendControl, serveControl } from './control.ts';

/**
 * Acts as the Job controller when a Pod has ended: creates a replacement for a failed Pod, after a
 * pause, and the next Pod if there are more completions than parallelism. The supervisor of the
 * ended Pod does this before it exits, so that a Job continues without `up`.
 */
export class JobContinuation {
  readonly #folder: PodFolder;
  readonly #store: PodStore;
  readonly #start: (folder: PodFolder) => void;
  readonly #cancelled = Promise.withResolvers<void>();

  /** `start` starts the supervisor of a Pod whose record is written. */
  constructor(folder: PodFolder, store: PodStore, start: (folder: PodFolder) => void) {
    this.#folder = folder;
    this.#store = store;
    this.#start = start;
  }

  /** Creates no further Pod: the Pod's deletion was requested. */
  cancel(): void {
    this.#cancelled.resolve();
  }

  /** Continues the Job of the ended Pod, if it belongs to one. */
  async run(): Promise<void> {
    const { status, record } = this.#folder;
    const { job } = record.pod;
    if (!job || !status || status.metadata.deletionTimestamp) return;
    const failed = status.status.phase === 'Failed';
    // With OnFailure its restarts have used up the limit already.
    if (failed && record.pod.spec.restartPolicy === 'Never') await this.#retry(record, job);
    else if (failed) await this.#stopOthers(record);
    else this.#startNext(record, job);
  }

  async #retry(record: PodRecord, job: JobPlace) {
    const now = Date.now();
    const begun = record.jobBegunAt;
    const { activeDeadlineSeconds: seconds, backoffLimit } = job;
    const deadline = seconds === undefined ? Number.POSITIVE_INFINITY : begun + seconds * 1000;
    const failures = this.#siblings(record).filter(
      ({ status }) => status?.status.phase === 'Failed',
    ).length;
    const backoffBase = record.backoffBase ?? BACKOFF_BASE;
    const step = afterFailure({ failures, backoffLimit, deadline, backoffBase }, now);
    const owner = record.pod.owner?.name;
    if (step.type === 'fail') {
      this.#note(step.reason, `Job ${owner}: ${step.message}`);
      return this.#stopOthers(record);
    }
    const pause = (step.at - now) / 1000;
    this.#note(
      'BackOff',
      `Job ${owner}: a new Pod in ${pause}s, ${failures} failed, backoffLimit ${backoffLimit}`,
    );
    if (!(await this.#waitUntil(step.at))) return;
    const { spec } = record.pod;
    const left = Math.max(1, Math.ceil((deadline - Date.now()) / 1000));
    const limit = Math.min(spec.activeDeadlineSeconds ?? Number.POSITIVE_INFINITY, left);
    const deadlined = Number.isFinite(limit) ? { ...spec, activeDeadlineSeconds: limit } : spec;
    this.#add(record, deadlined, job.index, job.attempt + 1);
  }

  /** Starts the next completion that is not running yet. */
  #startNext(record: PodRecord, { completions, parallelism }: JobPlace) {
    for (let index = parallelism; index < completions; index++) {
      if (this.#add(record, record.pod.spec, index, 0)) return;
    }
  }

  /** @returns whether the Pod was created: another supervisor may have been faster. */
  #add(record: PodRecord, spec: PodRecord['pod']['spec'], index: number, attempt: number) {
    const { pod } = record;
    const name = jobPodName(pod.owner?.name ?? '', index, attempt);
    const folder = this.#store.pod(name);
    if (!pod.job || !folder.claim()) return false;
    const uid = randomUUID();
    folder.record = {
      ...record,
      pod: {
        ...pod,
        metadata: { ...pod.metadata, name },
        spec,
        job: { ...pod.job, index, attempt },
      },
      uid,
      createdAt: Date.now(),
      volumes: this.#store.volumes(uid),
    };
    this.#folder.successor = name;
    this.#start(folder);
    this.#note('SuccessfulCreate', `Created pod: ${name}`);
    return true;
  }

  /** Terminates the other running Pods of a failed Job. */
  async #stopOthers(record: PodRecord) {
    const running = this.#siblings(record).filter(
      ({ name, supervised }) => name !== this.#folder.name && supervised,
    );
    await Promise.all(running.map((folder) => sendControl(folder.socket, { type: 'terminate' })));
  }

  #siblings({ jobUid }: PodRecord): PodFolder[] {
    return this.#store.pods.filter((folder) => folder.exists && folder.record.jobUid === jobUid);
  }

  /** @returns false if it was cancelled meanwhile. */
  async #waitUntil(at: number): Promise<boolean> {
    const cancelled = this.#cancelled.promise.then(() => false);
    const control = await serveControl(this.#folder.socket, ({ type }) => {
      if (type === 'terminate') this.cancel();
    });
    let timer: NodeJS.Timeout | undefined;
    const over = new Promise<boolean>((resolve) => {
      timer = setTimeout(
        () => resolve(true),
        Math.min(LONGEST_TIMER, Math.max(0, at - Date.now())),
      );
    });
    const due = await Promise.race([over, cancelled]);
    clearTimeout(timer);
    control.close();
    return due;
  }

  #note(reason: string, message: string) {
    this.#folder.note({ time: new Date().toISOString(), reason, message });
  }
}
