import type { ContainerStatus, PodStatusObject } from '../lifecycle/status.ts';
import type { PodFolder } from '../store/folder.ts';

export function allStatuses({ status }: PodStatusObject): ContainerStatus[] {
  return [...status.initContainerStatuses, ...status.containerStatuses];
}

export function isReady({ status }: PodStatusObject): boolean {
  return status.conditions.some(({ type, status: value }) => type === 'Ready' && value === 'True');
}

export function hasEnded({ status }: PodStatusObject): boolean {
  return status.phase === 'Succeeded' || status.phase === 'Failed';
}

/** Whether a Pod's supervisor has ended before the Pod. */
export function isLost(folder: PodFolder): boolean {
  if (!folder.status || hasEnded(folder.status) || folder.supervised) return false;
  // It may have ended in between: its last status says so.
  return !hasEnded(folder.status);
}

/** Returns the STATUS column of `kubectl get pods`. */
export function podSummary(pod: PodStatusObject): string {
  const { status, metadata } = pod;
  if (hasEnded(pod))
    return status.phase === 'Succeeded' ? 'Completed' : (status.reason ?? failure(pod) ?? 'Error');
  if (metadata.deletionTimestamp) return 'Terminating';
  const inits = status.initContainerStatuses;
  const current = inits.findIndex(
    ({ started, state }) => !started && state.terminated?.exitCode !== 0,
  );
  if (current !== -1 && status.phase === 'Pending') {
    const { reason } = stateOf(inits[current]) ?? {};
    return reason &&
      reason !== 'PodInitializing' &&
      reason !== 'ContainerCreating' &&
      reason !== 'Running'
      ? `Init:${reason}`
      : `Init:${current}/${inits.length}`;
  }
  const notRunning = status.containerStatuses
    .map(stateOf)
    .find((state) => state && state.reason !== 'Running');
  return notRunning?.reason ?? status.phase;
}

/** Returns a container's state in one or two words, and a sentence if there is one. */
export function stateOf(
  container: ContainerStatus | undefined,
): { reason: string; message?: string } | undefined {
  if (!container) return undefined;
  const { waiting, running, terminated } = container.state;
  if (running) return { reason: 'Running' };
  if (terminated) return { reason: terminated.reason };
  return {
    reason: waiting?.reason ?? 'Waiting',
    ...(waiting?.message ? { message: waiting.message } : {}),
  };
}

function failure(pod: PodStatusObject): string | undefined {
  for (const container of allStatuses(pod)) {
    const { terminated } = container.state;
    if (terminated && terminated.exitCode !== 0) return terminated.reason;
  }
  return undefined;
}
