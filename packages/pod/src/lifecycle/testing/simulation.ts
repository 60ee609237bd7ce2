import type { PodObject } from '../../manifest/types.ts';
import { readWorkload } from '../../manifest/workload.ts';
import { PodMachine } from '../machine.ts';
import type { MachineOptions, PodAction, PodEvent, ProbeKind } from '../types.ts';

/** A simulated container's behaviour in one of its runs; times in milliseconds. */
export interface Behaviour {
  /** From the start action until it runs; 100 by default. */
  readonly startAfter?: number;
  /** Ends by itself so long after it began to run. */
  readonly exitAfter?: number;
  readonly exitCode?: number;
  /** From SIGTERM to its end; Infinity ignores it. 50 by default. */
  readonly termAfter?: number;
  readonly termCode?: number;
  /** Whether a probe passes, by the time since it began to run; they all pass by default. */
  readonly probe?: (kind: ProbeKind, since: number) => boolean | 'error';
  readonly probeTakes?: number;
  /** How long its hooks take; 10 by default. */
  readonly hookTakes?: number;
  readonly hookOk?: boolean;
  /** It cannot be created, for this reason. */
  readonly failStart?: string;
}

/** One thing that happened, with the time since the Pod began. */
export interface TraceEntry {
  readonly at: number;
  readonly what: string;
  readonly container: string;
  readonly attempt: number;
}

interface Pending {
  readonly at: number;
  readonly order: number;
  readonly event: PodEvent;
  /** Dropped if its run has ended meanwhile. */
  readonly run?: string;
}

/**
 * Runs a Pod's machine against simulated containers and a simulated clock: everything that takes
 * seconds in reality takes none here, and the same inputs give the same trace.
 */
export class Simulation {
  readonly machine: PodMachine;
  readonly trace: TraceEntry[] = [];
  readonly notes: string[] = [];
  readonly actions: { readonly at: number; readonly action: PodAction }[] = [];
  now = 0;
  /** Runs that are up, with the time they began. */
  readonly up = new Map<string, number>();
  readonly #behaviour: (container: string, attempt: number) => Behaviour;
  #pending: Pending[] = [];
  #order = 0;

  constructor(
    options: MachineOptions,
    behaviour: (container: string, attempt: number) => Behaviour = () => ({}),
  ) {
    this.machine = new PodMachine(options);
    this.#behaviour = behaviour;
    this.at(0, { type: 'begin' });
  }

  /** Plans an event. */
  at(time: number, event: PodEvent, run?: string): this {
    this.#pending.push({ at: time, order: this.#order++, event, ...(run ? { run } : {}) });
    return this;
  }

  /** Runs until the Pod has ended, nothing can happen any more, or `limit` is reached. */
  run(limit: number, steps = 20_000): this {
    for (let step = 0; step < steps && !this.machine.ended; step++) {
      this.#pending.sort((a, b) => a.at - b.at || a.order - b.order);
      const [next] = this.#pending;
      const { deadline } = this.machine;
      const at = Math.min(
        next?.at ?? Number.POSITIVE_INFINITY,
        deadline ?? Number.POSITIVE_INFINITY,
      );
      if (at > limit || at === Number.POSITIVE_INFINITY) {
        this.now = Math.max(this.now, Math.min(limit, at));
        return this;
      }
      this.now = Math.max(this.now, at);
      if (next && next.at <= at) {
        this.#pending.shift();
        this.#deliver(next);
      } else this.#handle({ type: 'tick' });
    }
    if (!this.machine.ended) throw new Error(`no end after ${steps} steps at ${this.now} ms`);
    return this;
  }

  /** The order of what happened, as `container what`. */
  get order(): string[] {
    return this.trace.map(({ container, what }) => `${container} ${what}`);
  }

  /** When something first happened. */
  time(container: string, what: string, attempt?: number): number {
    const found = this.trace.find(
      (entry) =>
        entry.container === container &&
        entry.what === what &&
        (attempt === undefined || entry.attempt === attempt),
    );
    if (!found) throw new Error(`never: ${container} ${what}; there is ${this.order.join(', ')}`);
    return found.at;
  }

  times(container: string, what: string): number[] {
    return this.trace
      .filter((entry) => entry.container === container && entry.what === what)
      .map(({ at }) => at);
  }

  #deliver({ event, run }: Pending) {
    if (run !== undefined && !this.up.has(run)) return;
    if ('container' in event && event.container) {
      const key = keyOf(event);
      if (event.type === 'started') {
        this.up.set(key, this.now);
        this.#note(event, 'started');
        const { exitAfter, exitCode = 0 } = this.#behaviour(event.container, event.attempt);
        if (exitAfter !== undefined) {
          const { container, attempt } = event;
          this.at(this.now + exitAfter, { type: 'exited', container, attempt, exitCode }, key);
        }
      } else if (event.type === 'exited') {
        this.up.delete(key);
        this.#note(event, 'exited');
      }
    }
    this.#handle(event);
  }

  #handle(event: PodEvent) {
    for (const action of this.machine.handle(event, this.now)) {
      this.actions.push({ at: this.now, action });
      this.#carryOut(action);
    }
  }

  #carryOut(action: PodAction) {
    if (action.type === 'note') {
      this.notes.push(`${action.container ?? ''} ${action.reason}`.trim());
      return;
    }
    if (action.type === 'ended') {
      this.trace.push({ at: this.now, what: 'ended', container: 'pod', attempt: 0 });
      return;
    }
    if (action.type === 'sandbox') {
      this.trace.push({ at: this.now, what: 'sandbox', container: 'pod', attempt: 0 });
      this.at(this.now + 100, { type: 'begin' });
      return;
    }
    const { container, attempt } = action;
    const run = { container, attempt };
    const behaviour = this.#behaviour(container, attempt);
    const key = keyOf(run);
    switch (action.type) {
      case 'start': {
        this.#note(run, 'start');
        const at = this.now + (behaviour.startAfter ?? 100);
        const reason = behaviour.failStart;
        if (reason) this.at(at, { type: 'startFailed', ...run, reason, message: reason });
        else this.at(at, { type: 'started', ...run, id: key });
        return;
      }
      case 'hook': {
        this.#note(run, action.hook);
        const takes = behaviour.hookTakes ?? 10;
        const ok = (behaviour.hookOk ?? true) && takes <= action.timeout;
        const at = this.now + Math.min(takes, action.timeout);
        if (at < Number.POSITIVE_INFINITY) {
          this.at(at, { type: 'hookDone', ...run, hook: action.hook, ok });
        }
        return;
      }
      case 'probe': {
        const since = this.now - (this.up.get(key) ?? this.now);
        const ok = behaviour.probe?.(action.probe, since) ?? true;
        const result = ok === 'error' ? ok : ok ? 'success' : 'failure';
        const at = this.now + (behaviour.probeTakes ?? 1);
        this.at(at, { type: 'probed', ...run, probe: action.probe, result });
        return;
      }
      case 'signal': {
        this.#note(run, action.signal);
        const kill = action.signal === 'SIGKILL';
        const takes = kill ? 5 : (behaviour.termAfter ?? 50);
        const exitCode = kill ? 137 : (behaviour.termCode ?? 0);
        if (takes < Number.POSITIVE_INFINITY) {
          this.at(this.now + takes, { type: 'exited', ...run, exitCode }, key);
        }
      }
    }
  }

  #note({ container, attempt }: { container: string; attempt: number }, what: string) {
    this.trace.push({ at: this.now, what, container, attempt });
  }
}

function keyOf({ container, attempt }: { container: string; attempt: number }): string {
  return `${container}#${attempt}`;
}

/** The Pod of a manifest's `spec`, written as YAML or JSON. */
export function podOf(spec: string | object): PodObject {
  const text = JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'test' },
    spec: typeof spec === 'string' ? undefined : spec,
  });
  const source =
    typeof spec === 'string'
      ? `apiVersion: v1\nkind: Pod\nmetadata: {name: test}\nspec:\n${spec.replace(/^/gm, '  ')}`
      : text;
  const [pod] = readWorkload([{ name: 'test.yaml', text: source }], { allowHost: true }).pods;
  if (!pod) throw new Error('no Pod');
  return pod;
}
