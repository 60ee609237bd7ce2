import { setImmediate as turn } from 'node:timers/promises';
import { Elector, LeaseConflict, LeaseMissing } from '../lead/elector.ts';
import type { Lease } from '../lead/lease.ts';

interface Span {
  readonly at: number;
  readonly lasts: number;
}

interface Candidate {
  readonly skew: number;
  readonly speed: number;
  readonly freezes: readonly Span[];
  /** When it does not reach the API server. */
  readonly cuts: readonly Span[];
  /** When it is killed. */
  readonly dies: number | null;
  /** When it stops in order. */
  readonly stops?: number;
}

interface Conditions {
  readonly latency: number;
  /** The share of exchanges that fail, half of them after the server has done its part. */
  readonly failures: number;
  readonly retryPeriod: number;
  readonly edits: readonly number[];
  readonly seed: number;
  /** The candidate that begins ahead of the others; all begin together by default. */
  readonly first?: number;
}

interface Event {
  readonly at: number;
  readonly order: number;
  /** @returns true if no promise was settled. */
  readonly act: () => unknown;
}

/** The time between two acts of a leader. */
const INTERVAL = 200;

/**
 * Replicas, their API server and the network in simulated time. A frozen replica misses all that
 * happens to it until it continues: then responses and timers arrive in any order.
 */
export class World {
  /** Every act of a leader, in the order of time. */
  readonly acts: { readonly who: string; readonly token: number; readonly at: number }[] = [];
  readonly #candidates: readonly Candidate[];
  readonly #conditions: Conditions;
  readonly #electors: Elector[] = [];
  #random: number;
  #now = 0;
  #order = 0;
  #events: Event[] = [];
  #version = 1;
  #lease: Lease | undefined;
  #started = false;

  constructor(candidates: readonly Candidate[], conditions: Conditions) {
    this.#candidates = candidates;
    this.#conditions = conditions;
    this.#random = conditions.seed | 0;
    this.recreate();
  }

  remove(): void {
    this.#lease = undefined;
  }

  recreate(): void {
    this.#lease = { metadata: { name: 'l', resourceVersion: String(++this.#version) } };
  }

  write(spec: Readonly<Record<string, unknown>>): void {
    this.#lease = { metadata: { resourceVersion: String(++this.#version) }, spec };
  }

  /** Lets this time pass, in milliseconds. */
  async run(milliseconds: number): Promise<void> {
    const end = this.#now + milliseconds;
    if (!this.#started) this.#start();
    await turn();
    for (let next = this.#next(end); next; next = this.#next(end)) {
      this.#now = next.at;
      const quiet = next.act();
      if (quiet !== true) await turn();
    }
    this.#now = end;
  }

  #next(end: number): Event | undefined {
    let best: Event | undefined;
    for (const event of this.#events) {
      const sooner =
        !best || event.at < best.at || (event.at === best.at && event.order < best.order);
      if (event.at <= end && sooner) best = event;
    }
    if (best) this.#events.splice(this.#events.indexOf(best), 1);
    return best;
  }

  #start(): void {
    this.#started = true;
    for (const at of this.#conditions.edits) this.#schedule(at, () => this.#edit());
    for (const [i, candidate] of this.#candidates.entries()) {
      const delay = i === (this.#conditions.first ?? i) ? 0 : 1000;
      this.#for(i, delay, () => this.#launch(i, candidate));
    }
  }

  #launch(i: number, { skew, speed, stops }: Candidate): void {
    const ended = new AbortController();
    const elector: Elector = new Elector({
      api: {
        get: (signal) => this.#exchange(i, signal, () => this.#read()),
        put: (lease, signal) => this.#exchange(i, signal, () => this.#replace(lease)),
      },
      clock: {
        now: () => this.#now * speed + i * 1e9,
        wall: () => Math.round(1.8e12 + this.#now + skew),
        pause: (time, signal) => this.#pause(i, time / speed, signal),
      },
      identity: `replica${i}`,
      duration: 15_000,
      renewDeadline: 10_000,
      retryPeriod: this.#conditions.retryPeriod,
      gained: () => {},
      lost: () => {},
      attempted: () => {},
      random: () => this.#chance(),
    });
    this.#electors[i] = elector;
    void elector.run(ended.signal);
    let led = false;
    const act = () => {
      const token = elector.term?.token;
      const quiet = led === (token !== undefined);
      led = token !== undefined;
      if (token !== undefined) this.acts.push({ who: `replica${i}`, token, at: this.#now });
      this.#for(i, INTERVAL, act);
      return quiet;
    };
    this.#for(i, INTERVAL, act);
    if (stops === undefined) return;
    this.#for(i, stops, () => {
      ended.abort();
      void elector.release(new AbortController().signal);
    });
  }

  #edit(): void {
    if (!this.#lease) return;
    const metadata = { ...this.#lease.metadata, resourceVersion: String(++this.#version) };
    this.#lease = { ...this.#lease, metadata };
  }

  #read(): Lease {
    if (!this.#lease) throw new LeaseMissing('no lease');
    return structuredClone(this.#lease);
  }

  #replace(lease: Lease): Lease {
    const { resourceVersion } = this.#read().metadata;
    if (lease.metadata.resourceVersion !== resourceVersion) throw new LeaseConflict('conflict');
    this.#lease = structuredClone(lease);
    this.#edit();
    return this.#read();
  }

  /** Sends a request to the server and its response back; each takes its time, or gets lost. */
  #exchange(i: number, signal: AbortSignal, serve: () => Lease): Promise<Lease> {
    const { latency, failures } = this.#conditions;
    const { cuts = [] } = this.#candidates[i] ?? {};
    const { promise, resolve, reject } = Promise.withResolvers<Lease>();
    const fail = (error: unknown) => reject(error);
    signal.addEventListener('abort', () => fail(new Error('aborted')), { once: true });
    const away = 1 + this.#chance() * latency;
    const back = 1 + this.#chance() * latency;
    const lost = this.#chance() < failures ? this.#chance() : 1;
    // The client's own limit for one request.
    this.#for(i, 5000, () => fail(new Error('timeout')));
    this.#schedule(this.#now + away, () => {
      if (during(cuts, this.#now) || lost < 0.5) return;
      let respond: () => void;
      try {
        const lease = serve();
        respond = () => resolve(lease);
      } catch (error) {
        respond = () => fail(error);
      }
      if (lost < 1) respond = () => fail(new Error('503'));
      this.#for(i, back, respond);
    });
    return promise;
  }

  #pause(i: number, time: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    signal.addEventListener('abort', () => resolve(), { once: true });
    this.#for(i, time, resolve);
    return promise;
  }

  /** Schedules what happens to a replica: later if it is frozen then, never if it is dead. */
  #for(i: number, after: number, act: () => unknown): void {
    const { freezes = [], dies = null } = this.#candidates[i] ?? {};
    const arrive = () => {
      if (dies !== null && this.#now >= dies) return true;
      const frozen = during(freezes, this.#now);
      if (!frozen) return act();
      this.#schedule(frozen.at + frozen.lasts, arrive, this.#chance());
      return true;
    };
    this.#schedule(this.#now + after, arrive);
  }

  #schedule(at: number, act: () => unknown, order = ++this.#order): void {
    this.#events.push({ at, order, act });
  }

  /** A generator of its own (mulberry32), so that a seed makes the same world. */
  #chance(): number {
    this.#random = (this.#random + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#random ^ (this.#random >>> 15), 1 | this.#random);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }
}

function during(spans: readonly Span[], now: number): Span | undefined {
  return spans.find(({ at, lasts }) => now >= at && now < at + lasts);
}
