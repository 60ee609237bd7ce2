import type { ContainerState, Instant } from './types.ts';

/** The kubelet's first and longest pause before a crashed container starts again, in ms. */
export const BACKOFF_BASE = 10_000;
export const BACKOFF_CAP = 300_000;

/**
 * Sets when an ended container may start again. The first restart is immediate; then 10 s after
 * the end of the run before, doubling to 5 min; it is reset after a run that lasted twice the longest
 * pause (kubelet: doBackOff in kuberuntime_manager.go, client-go's flowcontrol.Backoff).
 * @returns the pause in milliseconds.
 */
export function backOff(container: ContainerState, base: number, now: Instant): number {
  const ran = container.runs > 0 && now - container.startedAt > 2 * BACKOFF_CAP;
  if (ran) container.backoff = 0;
  const pause = container.backoff;
  container.restartAt = now + pause;
  container.backoff = Math.min(BACKOFF_CAP, pause === 0 ? base : pause * 2);
  return pause;
}
