import type { ContainerState, Instant, PodAction, StopState } from './types.ts';

/** The least time between SIGTERM and SIGKILL, even when the grace period is over. */
const LEAST_WINDOW = 2000;

/**
 * Begins to stop a running container: preStop first, at once; then it waits for its turn;
 * then SIGTERM; SIGKILL at the deadline (kubelet, killContainer).
 */
export function beginStop(
  container: ContainerState,
  deadline: Instant,
  { final, unhealthy = false }: { readonly final: boolean; readonly unhealthy?: boolean },
  now: Instant,
): PodAction[] {
  if (container.stop) {
    // Already stopping: the earlier deadline counts, and the container is not restarted.
    container.stop.final ||= final;
    const { step, least } = container.stop;
    const earlier = Math.min(container.stop.deadline, Math.max(deadline, now, least));
    if (step !== 'kill') container.stop.deadline = earlier;
    return [];
  }
  const preStop = container.spec.lifecycle?.preStop;
  const timeout = deadline - now;
  const hooked = preStop !== undefined && timeout > 0;
  container.stop = { step: hooked ? 'preStop' : 'turn', deadline, least: now, final, unhealthy };
  // Liveness and startup no longer matter; readiness is probed until the end.
  for (const probe of container.probes) if (probe.kind !== 'readiness') probe.due = undefined;
  return hooked
    ? [
        {
          type: 'hook',
          container: container.spec.name,
          attempt: container.attempt,
          hook: 'preStop',
          handler: preStop,
          timeout,
        },
      ]
    : [];
}

/** Continues a stop after preStop has finished or failed. */
export function stopHookDone(container: ContainerState): void {
  if (container.stop?.step === 'preStop') container.stop.step = 'turn';
}

/** Sends SIGTERM once everything that must end before this container has ended. */
export function takeTurn(
  container: ContainerState,
  all: readonly ContainerState[],
  now: Instant,
): PodAction[] {
  const { stop } = container;
  if (stop?.step !== 'turn' || container.phase !== 'running') return [];
  if (stop.final && mustWait(container, all) && now < stop.deadline) return [];
  return [terminate(container, stop, now)];
}

/** Acts at the deadline: abandons a running preStop, and sends SIGKILL after SIGTERM. */
export function stopExpired(container: ContainerState, now: Instant): PodAction[] {
  const { stop } = container;
  if (!stop || now < stop.deadline || container.phase !== 'running') return [];
  if (stop.step === 'preStop' || stop.step === 'turn') return [terminate(container, stop, now)];
  if (stop.step !== 'term') return [];
  stop.step = 'kill';
  return [
    {
      type: 'signal',
      container: container.spec.name,
      attempt: container.attempt,
      signal: 'SIGKILL',
    },
  ];
}

function terminate(container: ContainerState, stop: StopState, now: Instant): PodAction {
  stop.step = 'term';
  // The kubelet's minimumGracePeriodInSeconds: time to react even if none is left.
  stop.least = now + LEAST_WINDOW;
  stop.deadline = Math.max(stop.deadline, stop.least);
  return {
    type: 'signal',
    container: container.spec.name,
    attempt: container.attempt,
    signal: 'SIGTERM',
  };
}

/** A sidecar waits for the main containers, and for every sidecar that started after it. */
function mustWait(container: ContainerState, all: readonly ContainerState[]): boolean {
  if (container.role !== 'sidecar') return false;
  const later = all.slice(all.indexOf(container) + 1);
  return later.some(({ phase }) => phase === 'running' || phase === 'starting');
}
