import type { ControllerRef } from '../manifest/types.ts';
import type { PodFolder } from '../store/folder.ts';
import type { PodRecord } from '../store/record.ts';
import { allStatuses, hasEnded, isLost, isReady, stateOf } from './summary.ts';

/** Reasons that waiting does not resolve: `up` fails at once. */
const PERMANENT = /^(ErrImageNeverPull|ErrImagePull|CreateContainerConfigError)$/;

/** A Pod's record without the fields that the store adds. */
export type NewRecord = Omit<PodRecord, 'volumes' | 'store'>;

/**
 * Whether the running Pod can stay: of its own fields, only activeDeadlineSeconds may change, and
 * only to be set or lowered (API: ValidatePodUpdate).
 */
export function canUpdate(before: PodRecord, after: NewRecord): boolean {
  const comparable = ({ pod, services, hostPorts, serviceVariables, engine }: NewRecord) => {
    const spec = { ...pod.spec, activeDeadlineSeconds: undefined };
    return JSON.stringify([{ ...pod, spec }, services, hostPorts, serviceVariables, engine.name]);
  };
  const old = before.pod.spec.activeDeadlineSeconds ?? Number.POSITIVE_INFINITY;
  const wanted = after.pod.spec.activeDeadlineSeconds ?? Number.POSITIVE_INFINITY;
  return wanted <= old && comparable(before) === comparable(after);
}

/** Whether a running container has another image than the one that has its name now. */
export function hasOldImage(folder: PodFolder, images: ReadonlyMap<string, string>): boolean {
  const { status } = folder;
  if (!status) return false;
  return allStatuses(status).some(({ image, imageID }) => {
    const now = images.get(image);
    return imageID !== '' && now !== undefined && now !== imageID;
  });
}

/** Whether its controller decides about it: the Pods of a Job follow one another. */
export function isControlled(
  { record: { pod } }: PodFolder,
  controllers: readonly ControllerRef[],
) {
  return controllers.some(
    ({ kind, namespace, name }) =>
      pod.owner?.kind === kind && pod.owner.name === name && pod.metadata.namespace === namespace,
  );
}

export function isOver({ status }: PodFolder): boolean {
  return !status || hasEnded(status);
}

/** Whether it is supervised and not an ended Pod of a Job that continues. */
export function isCurrent(folder: PodFolder): boolean {
  const { status } = folder;
  const over = folder.exists && folder.record.pod.job && status && hasEnded(status);
  // One that is being deleted is replaced once it is gone.
  return folder.supervised && !over && !status?.metadata.deletionTimestamp;
}

/** Returns `next` if its Job continues with another Pod. */
export function outcome(folder: PodFolder): 'good' | 'bad' | 'waiting' | 'next' {
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
