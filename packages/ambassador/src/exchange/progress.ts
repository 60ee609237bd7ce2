import type { Refused } from './admission.ts';
import type { Runtime } from './runtime.ts';

export const Phase = { idle: 0, connecting: 1, waiting: 2, streaming: 3 } as const;
export type Phase = (typeof Phase)[keyof typeof Phase];

export const NEVER: number = Number.POSITIVE_INFINITY;

/**
 * How long a peer may make no progress while other exchanges wait for the memory that it occupies,
 * in milliseconds.
 */
const STALLED = 15_000;

/** Facts that the time limits depend on. */
export interface TimedFacts {
  /** Whether the upstream has the whole request. */
  readonly requestSent: boolean;
  /** Whether the client has set a deadline of its own. */
  readonly bounded: boolean;
  /** Whether the memory budget holds the exchange. */
  readonly held: boolean;
}

/** Keeps how far an exchange is, and since when; times are of `performance.now()`. */
export class Progress {
  phase: Phase = Phase.idle;
  /** The time by which all must have ended. */
  deadline: number = NEVER;
  /** Whether bytes pass unchanged, without a deadline. */
  tunnel = false;
  /** Time since when it waits for a connection, or for the response. */
  since = 0;
  lastActivity = 0;

  begin(now: number): void {
    this.phase = Phase.connecting;
    this.deadline = NEVER;
    this.tunnel = false;
    this.since = this.lastActivity = now;
  }

  /** Returns the time limit that has passed, if one has. */
  expired(
    now: number,
    { requestSent, bounded, held }: TimedFacts,
    timeouts: Runtime['timeouts'],
  ): Refused | undefined {
    const { phase, lastActivity } = this;
    if (phase === Phase.idle) return undefined;
    if (now > this.deadline && !this.tunnel) return TOTAL;
    const answering = now - Math.max(this.since, lastActivity);
    if (phase === Phase.waiting && !bounded && requestSent && answering > timeouts.response)
      return RESPONSE;
    if (held && now - lastActivity > STALLED) return STALL;
    if (phase >= Phase.waiting && now - lastActivity > timeouts.streamIdle) return IDLE;
    if (phase === Phase.connecting && now - this.since > timeouts.queue) return QUEUE;
    return undefined;
  }
}

const TOTAL: Refused = { status: 504, reason: 'the total timeout has passed', flag: 'UT' };
const RESPONSE: Refused = {
  status: 504,
  reason: 'the upstream did not respond in time',
  flag: 'UT',
};
const STALL: Refused = {
  status: 503,
  reason: 'a slow peer while the memory for bodies is used up',
  flag: 'OM',
};
const IDLE: Refused = { status: 504, reason: 'no data was transferred for too long', flag: 'UT' };
const QUEUE: Refused = { status: 503, reason: 'no connection was free in time', flag: 'UO' };
