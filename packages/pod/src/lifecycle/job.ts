import type { Instant } from './types.ts';

/** The longest pause before a Job's next Pod, in milliseconds: six minutes. */
const PAUSE_CAP = 360_000;

/** The state of a Job when one of its Pods has ended. */
export interface JobState {
  /** The number of its failed Pods. */
  readonly failures: number;
  readonly backoffLimit: number;
  /** When its activeDeadlineSeconds are over; infinite without one. */
  readonly deadline: Instant;
  /** The first pause, in milliseconds: 10 s in the Job controller. */
  readonly backoffBase: number;
}

export type JobStep =
  /** A new Pod for the failed one, at that instant. */
  | { readonly type: 'retry'; readonly at: Instant }
  | { readonly type: 'fail'; readonly reason: string; readonly message: string };

/**
 * Decides as the Job controller does for a Pod that has failed: another Pod after 10 s, 20 s, 40 s …
 * up to six minutes, until more Pods have failed than its backoffLimit allows or its deadline is
 * over (Kubernetes: Job, "Pod backoff failure policy").
 */
export function afterFailure(
  { failures, backoffLimit, deadline, backoffBase }: JobState,
  now: Instant,
): JobStep {
  if (failures > backoffLimit) {
    const message = 'Job has reached the specified backoff limit';
    return { type: 'fail', reason: 'BackoffLimitExceeded', message };
  }
  const at = now + Math.min(PAUSE_CAP, backoffBase * 2 ** (failures - 1));
  if (at < deadline) return { type: 'retry', at };
  const message = 'Job was active longer than specified deadline';
  return { type: 'fail', reason: 'DeadlineExceeded', message };
}
