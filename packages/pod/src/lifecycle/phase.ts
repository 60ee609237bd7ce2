import type { PodSpec } from '../manifest/types.ts';
import type { ContainerState } from './types.ts';

export type Phase = 'Pending' | 'Running' | 'Succeeded' | 'Failed';

/**
 * The phase of a Pod by the state of its containers (kubelet: getPhase in kubelet_pods.go).
 * `over`: nothing runs and nothing will be started any more.
 */
export function phaseOf(
  spec: Pick<PodSpec, 'restartPolicy'>,
  containers: readonly ContainerState[],
  over: boolean,
): Phase {
  const mains = containers.filter(({ role }) => role === 'main');
  if (over) return mains.every(succeeded) ? 'Succeeded' : 'Failed';
  if (initFailed(spec, containers)) return 'Failed';
  const initializing = containers.some(({ role, passed }) => role !== 'main' && !passed);
  const begun = mains.every(hasRun);
  if (!begun || (initializing && !mains.some(hasRun))) return 'Pending';
  if (containers.some(isUp)) return 'Running';
  if (mains.some((container) => !isDone(spec, container))) return 'Running';
  return mains.every(succeeded) ? 'Succeeded' : 'Failed';
}

/** Whether an init container has failed and the policy does not restart it. */
export function initFailed(
  { restartPolicy }: Pick<PodSpec, 'restartPolicy'>,
  containers: readonly ContainerState[],
): boolean {
  return (
    restartPolicy === 'Never' &&
    containers.some(
      ({ role, phase, current }) =>
        role === 'init' && phase === 'terminated' && current?.exitCode !== 0,
    )
  );
}

/** Whether a main container will not run again. */
export function isDone(
  { restartPolicy }: Pick<PodSpec, 'restartPolicy'>,
  container: ContainerState,
) {
  if (container.phase !== 'terminated' || container.restartAt !== undefined) return false;
  if (restartPolicy === 'Always') return false;
  return restartPolicy === 'Never' || container.current?.exitCode === 0;
}

export function isUp({ phase }: ContainerState): boolean {
  return phase === 'running' || phase === 'starting';
}

function hasRun({ runs }: ContainerState): boolean {
  return runs > 0;
}

function succeeded({ phase, current }: ContainerState): boolean {
  return phase === 'terminated' && current?.exitCode === 0;
}
