import { rfc3339 } from '@sidekit/core';
import { type Lease, recordOf, shown, withSpec } from './lease.ts';

/** The API of one Lease. */
export interface LeaseApi {
  /** Reads the Lease. */
  get(signal: AbortSignal): Promise<Lease>;
  /** Replaces the Lease. @throws {LeaseConflict} if it is no longer the one that was read. */
  put(lease: Lease, signal: AbortSignal): Promise<Lease>;
}

/** Another has changed the Lease meanwhile (409). */
export class LeaseConflict extends Error {}

/** The Lease does not exist (404). */
export class LeaseMissing extends Error {}

export interface Clock {
  /** Milliseconds on a clock that never goes back and does not stop with the process. */
  now(): number;
  /** Milliseconds since the epoch: for people who read the Lease, no decision depends on it. */
  wall(): number;
  /** Waits; at once if the signal aborts. */
  pause(milliseconds: number, signal: AbortSignal): Promise<unknown>;
}

/** The time in which one replica leads: from when it took the Lease until it lost it. */
export interface Term {
  /** Greater than that of every earlier term of the Lease: for fencing. */
  readonly token: number;
  /** Aborts when the term ends; a process that did not run learns it later than `holds` says. */
  readonly over: AbortSignal;
  /** Whether it lasts: compares the clock, so ask right before an act. */
  holds(): boolean;
}

/** The result of one attempt to take or renew the Lease. */
export type Attempt = 'leading' | 'held' | 'conflict' | Error;

export interface ElectorParts {
  readonly api: LeaseApi;
  readonly clock: Clock;
  /** Unique to this process: a restart is another candidate. */
  readonly identity: string;
  /** How long others wait after the last renewal that they have seen, in milliseconds. */
  readonly duration: number;
  /** How long this replica leads after the start of its last renewal; less than `duration`. */
  readonly renewDeadline: number;
  readonly retryPeriod: number;
  readonly gained: (term: Term) => void;
  readonly lost: (reason: string) => void;
  readonly attempted: (attempt: Attempt) => void;
  readonly random?: () => number;
}

/**
 * Elects a leader through a Lease, by the algorithm of Kubernetes' client-go (leaderelection): who
 * finds the Lease free, or unchanged for as long as its holder asked for, writes itself into it
 * with the resource version that it has read. Times in the Lease are never compared with a clock.
 *
 * Stricter than client-go in one point: a term ends `renewDeadline` after its last renewal was
 * sent, by the clock and not by a timer, so it is over before another replica can begin one
 * however long this process was stopped. Clocks must not differ in speed by more than
 * `duration / renewDeadline`.
 */
export class Elector {
  readonly #parts: ElectorParts;
  #lease: Lease | undefined;
  /** The last spec that was seen, and when it was seen first. */
  #observed = { spec: '', at: 0 };
  /** The greatest token that was seen: a Lease that is recreated must not repeat one. */
  #highest = 0;
  #term: { readonly controller: AbortController; readonly term: Term; until: number } | undefined;

  constructor(parts: ElectorParts) {
    this.#parts = parts;
  }

  /** The current term; undefined if this replica does not lead. */
  get term(): Term | undefined {
    const current = this.#term;
    if (current && this.#parts.clock.now() >= current.until) {
      this.#lose('the lease was not renewed in time');
    }
    return this.#term?.term;
  }

  /** The holder as last seen; empty if nobody held the Lease. */
  get holder(): string {
    return this.#lease ? shown(recordOf(this.#lease).holder) : '';
  }

  /** Takes and renews the Lease until the signal aborts. The term, if any, goes on after that. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, retryPeriod, attempted, random = Math.random } = this.#parts;
    while (!signal.aborted) {
      const start = clock.now();
      const attempt = await this.#attempt(signal).catch((error: Error) => error);
      if (signal.aborted) return;
      if (attempt instanceof LeaseMissing) this.#lose(attempt.message);
      attempted(attempt instanceof LeaseConflict ? 'conflict' : attempt);
      // A leader must not be late; candidates must not come together.
      const wait = this.term
        ? start + retryPeriod - clock.now()
        : retryPeriod * (1 + 1.2 * random());
      await clock.pause(Math.max(0, wait), signal);
    }
  }

  /** Ends the term and frees the Lease, so that another replica need not wait for its end. */
  async release(signal: AbortSignal): Promise<void> {
    this.#lose('it was released');
    const { api, identity, clock } = this.#parts;
    const lease = await api.get(signal);
    if (recordOf(lease).holder !== identity) return;
    const time = microTime(clock.wall());
    const spec = { holderIdentity: '', leaseDurationSeconds: 1, renewTime: time };
    await api.put(withSpec(lease, spec), signal);
  }

  async #attempt(signal: AbortSignal): Promise<'leading' | 'held'> {
    const { api, clock, identity } = this.#parts;
    if (this.term && this.#lease) {
      try {
        return await this.#take(this.#lease, signal);
      } catch (error) {
        if (!(error instanceof LeaseConflict)) throw error;
      }
    }
    const lease = await api.get(signal);
    this.#observe(lease);
    const { holder, duration = this.#parts.duration } = recordOf(lease);
    if (holder !== identity) {
      this.#lose(holder === '' ? 'the lease is free' : `${shown(holder)} holds the lease`);
      if (holder !== '' && clock.now() < this.#observed.at + duration) return 'held';
    }
    return await this.#take(lease, signal);
  }

  /** Writes this replica into a Lease. The term counts from before the request. */
  async #take(lease: Lease, signal: AbortSignal): Promise<'leading'> {
    const { api, clock, identity, duration, renewDeadline } = this.#parts;
    const current = this.term;
    const sent = clock.now();
    const time = microTime(clock.wall());
    const token = current?.token ?? this.#highest + 1;
    const renewal = {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(duration / 1000),
      renewTime: time,
    };
    const first = { ...renewal, acquireTime: time, leaseTransitions: token };
    const saved = await api.put(withSpec(lease, current ? renewal : first), signal);
    this.#observe(saved);
    const until = sent + renewDeadline;
    // A term that ended meanwhile stays ended: the next one has a token of its own.
    if (clock.now() >= until || this.term !== current) {
      throw new Error('the API server took longer than the renew deadline');
    }
    if (this.#term) this.#term.until = until;
    else this.#begin(token, until);
    return 'leading';
  }

  #observe(lease: Lease): void {
    this.#lease = lease;
    this.#highest = Math.max(this.#highest, recordOf(lease).transitions);
    const spec = JSON.stringify(lease.spec);
    if (spec !== this.#observed.spec) this.#observed = { spec, at: this.#parts.clock.now() };
  }

  #begin(token: number, until: number): void {
    const controller = new AbortController();
    const term: Term = {
      token,
      over: controller.signal,
      holds: () => this.term === term,
    };
    this.#term = { controller, term, until };
    this.#parts.gained(term);
    void this.#end(term);
  }

  /** Ends the term at its time also if nobody asks. */
  async #end(term: Term): Promise<void> {
    const { clock } = this.#parts;
    while (term.holds()) {
      await clock.pause(Math.max(0, (this.#term?.until ?? 0) - clock.now()), term.over);
    }
  }

  #lose(reason: string): void {
    const lost = this.#term;
    if (!lost) return;
    this.#term = undefined;
    lost.controller.abort(new Error('no longer the leader'));
    this.#parts.lost(reason);
  }
}

/** Writes a time as Kubernetes' MicroTime, which has exactly six digits. */
function microTime(milliseconds: number): string {
  return rfc3339(Math.floor(milliseconds)).replace('Z', '000Z');
}
