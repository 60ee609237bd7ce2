import type { ContainerSpec, PodSpec } from '../manifest/types.ts';
import type { ContainerState, Instant, Role, Run, Termination } from './types.ts';

/** The containers of a Pod that has not begun, in the order in which they start. */
export function newContainers(spec: PodSpec): ContainerState[] {
  const containers = [
    ...spec.initContainers.map((container) =>
      newContainer(container, container.restartPolicy === 'Always' ? 'sidecar' : 'init'),
    ),
    ...spec.containers.map((container) => newContainer(container, 'main')),
  ];
  // The kubelet reports PodInitializing for containers that wait for an init container.
  const creating = spec.initContainers.length === 0 ? containers : containers.slice(0, 1);
  for (const container of creating) container.reason = 'ContainerCreating';
  return containers;
}

function newContainer(spec: ContainerSpec, role: Role): ContainerState {
  return {
    spec,
    role,
    phase: 'waiting',
    reason: 'PodInitializing',
    message: '',
    id: '',
    attempt: -1,
    runs: 0,
    startedAt: 0,
    postStartDone: false,
    started: false,
    ready: false,
    passed: false,
    last: undefined,
    current: undefined,
    backoff: 0,
    restartAt: undefined,
    stop: undefined,
    probes: [],
  };
}

/** Counts a new start; its run has not begun yet. */
export function toStarting(container: ContainerState): void {
  if (container.phase === 'terminated') toWaiting(container, 'ContainerCreating', '');
  container.attempt++;
  container.phase = 'starting';
  if (container.reason === 'PodInitializing') container.reason = 'ContainerCreating';
  container.restartAt = undefined;
  container.started = false;
  container.ready = false;
  container.postStartDone = false;
}

/** A run has begun. */
export function toRunning(container: ContainerState, id: string, now: Instant): void {
  container.phase = 'running';
  container.reason = '';
  container.message = '';
  container.id = id;
  container.startedAt = now;
  container.runs++;
}

/** Its run has ended; an init container that ended well has passed, once and for all. */
export function toTerminated(
  container: ContainerState,
  {
    exitCode,
    reason = exitCode === 0 ? 'Completed' : 'Error',
    message,
  }: Pick<Termination, 'exitCode' | 'message'> & { readonly reason?: string | undefined },
  now: Instant,
): void {
  const { id, startedAt, role } = container;
  const good = role === 'init' && exitCode === 0;
  container.current = { exitCode, reason, message, startedAt, finishedAt: now, id };
  container.phase = 'terminated';
  container.reason = reason;
  container.passed ||= good;
  container.ready = good;
  container.started = false;
  container.stop = undefined;
  container.probes = [];
}

/** It waits for its next run; how the last one ended is kept. */
export function toWaiting(container: ContainerState, reason: string, message: string) {
  container.last = container.current ?? container.last;
  container.current = undefined;
  container.phase = 'waiting';
  container.reason = reason;
  container.message = message;
}

export function runOf({ spec, attempt }: ContainerState): Run {
  return { container: spec.name, attempt };
}

/**
 * Its postStart hook is to be done before anything after it starts (kubelet: startContainer in
 * kuberuntime_container.go runs the hook before it returns, and syncPod calls it one by one).
 */
export function isBusy({ phase, postStartDone, spec }: ContainerState): boolean {
  if (phase === 'starting') return spec.lifecycle?.postStart !== undefined;
  return phase === 'running' && !postStartDone;
}

/** It may start now: it never has, or the pause since its last run is over. */
export function isDue({ phase, restartAt, attempt }: ContainerState, now: Instant): boolean {
  if (phase === 'running' || phase === 'starting') return false;
  return restartAt === undefined ? attempt < 0 : restartAt <= now;
}

/**
 * Whether its restart policy starts this ended container again (kubelet: ShouldContainerBeRestarted
 * in container/helpers.go; computeInitContainerActions for sidecars, which are always restarted).
 */
export function restarts(
  { restartPolicy }: Pick<PodSpec, 'restartPolicy'>,
  { role, current }: ContainerState,
  unhealthy: boolean,
): boolean {
  if (role === 'sidecar') return true;
  if (restartPolicy === 'Never') return false;
  if (role === 'main' && (restartPolicy === 'Always' || unhealthy)) return true;
  return current?.exitCode !== 0;
}

/**
 * Sets the status of containers that had no run, or waited for another, when the Pod ended
 * (kubelet: TerminatePod in status_manager.go, and convertToAPIContainerStatuses).
 */
export function settle(containers: readonly ContainerState[], now: Instant): void {
  for (const container of containers) {
    if (container.phase !== 'waiting') continue;
    if (container.last) {
      container.current = container.last;
      container.last = undefined;
    } else if (container.role === 'main') {
      container.current = {
        exitCode: 137,
        reason: 'ContainerStatusUnknown',
        message: 'The container could not be located when the pod was terminated',
        startedAt: now,
        finishedAt: now,
        id: '',
      };
    } else continue;
    container.phase = 'terminated';
    container.reason = container.current.reason;
  }
}
