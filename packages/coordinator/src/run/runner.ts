import { ExpectedError, errorText, fullJitter, pause, rfc3339, Sha256 } from '@sidekit/core';
import type { Journal, JournalState, LastRun, RunRecord } from '../journal/journal.ts';
import type { Term } from '../lead/elector.ts';
import { isLeaderOnly, type Sequence } from '../plan/sequence.ts';
import { isRepeatable, type Step, stepName } from '../plan/step.ts';
import type { Observer, StepPlace } from './observer.ts';
import { ALWAYS, type Perform, type Permit } from './permit.ts';
import { restoredState } from './restored-state.ts';
import { SavedState } from './saved-state.ts';

/**
 * Runs one sequence at a time. Before an effect and after it the journal is durable, so that a
 * start after a crash knows which step may have happened: a repeatable one runs again, another is
 * `unknown` and the `always` part follows.
 *
 * Sequences that are triggered wait in the order of their first trigger, each once. A stop ends the
 * steps of the running sequence, drops those that wait, and runs the stop sequences.
 */
export class Runner {
  readonly #plan: ReadonlyMap<string, Sequence>;
  readonly #perform: Perform;
  readonly #observer: Observer;
  readonly #term: () => Term | undefined;
  readonly #state: SavedState;
  #wake = Promise.withResolvers<void>();
  #steps = new AbortController();
  #place: (StepPlace & { readonly since: string }) | undefined;
  #stop:
    | { readonly sequences: readonly string[]; readonly done: PromiseWithResolvers<void> }
    | undefined;
  #working = false;
  #retries = 0;

  constructor(parts: {
    readonly plan: readonly Sequence[];
    readonly journal: Journal;
    readonly state: JournalState;
    readonly perform: Perform;
    readonly observer: Observer;
    /** The term in which this replica leads; never by default. */
    readonly term?: () => Term | undefined;
  }) {
    this.#plan = new Map(parts.plan.map((one) => [one.name, one]));
    this.#perform = parts.perform;
    this.#observer = parts.observer;
    this.#term = parts.term ?? (() => undefined);
    this.#state = new SavedState(parts.journal, restoredState(parts.state, parts.plan), {
      changed: () => this.#observer.changed(),
      journal: (failure) => {
        if (failure !== undefined) this.#wake.resolve();
        this.#observer.journal(failure);
      },
    });
  }

  /** The state in the form of `/state` and of the state file. */
  get state(): object {
    const { pending, last, started } = this.#state.value;
    return {
      started,
      stopping: this.#stop !== undefined,
      running: this.#place ?? null,
      pending,
      last,
    };
  }

  get pending(): number {
    return this.#state.value.pending.length;
  }

  observed(trigger: string): string | undefined {
    return this.#state.value.observed[trigger];
  }

  get started(): boolean {
    return this.#state.value.started;
  }

  /**
   * Adds sequences to those that wait; each waits at most once, at the place of its first trigger,
   * or with `last` at the end. Resolves when that, and what the trigger has observed, is durable.
   * @throws {ExpectedError} if the journal cannot be written.
   */
  async trigger(
    sequences: readonly string[],
    {
      started = false,
      observed = {},
      last = false,
    }: { started?: boolean; observed?: Record<string, string>; last?: boolean } = {},
  ): Promise<void> {
    const added = this.#stop ? [] : sequences;
    await this.#state.save((state) => {
      const before = state.pending.filter((one) => !(last && added.includes(one)));
      const pending = [...new Set([...before, ...added])];
      const news = Object.entries(observed).some(([key, value]) => state.observed[key] !== value);
      const moved = pending.some((one, i) => one !== state.pending[i]);
      // A flood of one event costs one write.
      if (!news && !moved && (state.started || !started)) return state;
      return {
        ...state,
        started: state.started || started,
        observed: { ...state.observed, ...observed },
        pending,
      };
    });
    this.#wake.resolve();
  }

  /**
   * Ends the running sequence by its `always` part, then runs these sequences and nothing after
   * them. Resolves when they have ended; further calls wait for the first.
   */
  stop(sequences: readonly string[]): Promise<void> {
    if (!this.#stop) {
      this.#stop = { sequences, done: Promise.withResolvers<void>() };
      this.#steps.abort(new ExpectedError('stopped'));
      this.#wake.resolve();
      this.#observer.changed();
    }
    return this.#stop.done.promise;
  }

  /** Works until `stop` has finished. Begins with what a crash has left. */
  async work(): Promise<void> {
    if (this.#working) throw new Error('the runner works already');
    this.#working = true;
    const { run } = this.#state.value;
    if (run) {
      const planned = this.#plan.get(run.sequence);
      await this.#finish(run, true, planned && this.#permit(planned));
    }
    while (!this.#stop) {
      const [next] = this.#state.value.pending;
      if (next === undefined) {
        await this.#idle();
      } else {
        await this.#begin(next);
      }
    }
    // From here on the steps belong to the stop itself.
    this.#steps = new AbortController();
    await this.#state.try((state) => ({ ...state, pending: this.#stop?.sequences ?? [] }));
    for (const name of this.#stop.sequences) await this.#begin(name);
    this.#stop.done.resolve();
  }

  /** Waits for a trigger. While the journal cannot be written, it is tried again and again. */
  async #idle(): Promise<void> {
    const failed = this.#state.unwritten;
    await Promise.race([this.#wake.promise, ...(failed ? [this.#pause(this.#retries++)] : [])]);
    this.#wake = Promise.withResolvers<void>();
    if (failed && this.#state.unwritten) await this.#state.try((state) => ({ ...state }));
    if (!this.#state.unwritten) this.#retries = 0;
  }

  #pause(failures: number): Promise<unknown> {
    return pause(fullJitter(failures, { base: 500, cap: 10_000 }), this.#steps.signal);
  }

  async #begin(sequence: string): Promise<void> {
    const planned = this.#plan.get(sequence);
    if (!planned) return;
    const permit = this.#permit(planned);
    const run: RunRecord = {
      sequence,
      digest: digestOf(planned),
      part: 'steps',
      step: 0,
      begun: false,
    };
    const start = (state: JournalState): JournalState => ({
      ...state,
      pending: state.pending.filter((one) => one !== sequence),
      ...(permit ? { run } : {}),
    });
    for (let failures = 0; !(await this.#state.try(start)); failures++) {
      // Nothing has happened yet, so nothing is lost by waiting for the volume.
      if (this.#stop) return;
      await this.#pause(failures);
    }
    if (permit) await this.#finish(run, false, permit);
    else this.#observer.sequenceSkipped(sequence);
  }

  /** Runs the rest of a run, and records its result. */
  async #finish(run: RunRecord, resumed: boolean, permit?: Permit): Promise<void> {
    const { sequence } = run;
    const planned = this.#plan.get(sequence);
    this.#observer.sequenceStarted(sequence, resumed);
    let failure = run.failure;
    if (planned) {
      if (run.part === 'steps') failure = await this.#runSteps(run, planned, permit);
      const first = run.part === 'always' && run.digest === digestOf(planned) ? run.step : 0;
      await this.#runAlways(run, planned, first, failure);
    } else {
      failure = 'the plan no longer has this sequence, and its always part is unknown';
    }
    const last: LastRun = {
      result: failure === undefined ? 'succeeded' : 'failed',
      ...(failure === undefined ? {} : { failure }),
      at: rfc3339(Date.now()),
    };
    this.#place = undefined;
    const end = (state: JournalState): JournalState => ({
      ...state,
      run: undefined,
      last: { ...state.last, [sequence]: last },
    });
    const ended = await this.#state.try(end);
    this.#observer.sequenceEnded(sequence, last);
    // Without it, a crash would run the always part again; and no other sequence could begin.
    for (let failures = 0; !ended && !this.#stop; failures++) {
      await this.#pause(failures);
      if (await this.#state.try(end)) return;
    }
  }

  /** @returns why the steps ended early; undefined if all succeeded. */
  async #runSteps(
    run: RunRecord,
    { name, steps }: Sequence,
    permit: Permit | undefined,
  ): Promise<string | undefined> {
    const planned = this.#plan.get(name);
    if (!planned || run.digest !== digestOf(planned)) return 'the plan has changed since the crash';
    const interrupted = run.begun ? steps[run.step] : undefined;
    if (interrupted && !isRepeatable(interrupted)) {
      const failure = `the result of the step ${stepName(interrupted)} is unknown: a crash interrupted it`;
      this.#observer.stepEnded(this.#placeOf(name, 'steps', run.step, interrupted), failure, 0);
      return failure;
    }
    for (const [index, step] of steps.entries()) {
      if (index < run.step) continue;
      if (!permit) return NOT_LEADING;
      if (permit.signal.aborted) return errorText(permit.signal.reason);
      const place = this.#placeOf(name, 'steps', index, step);
      const begun = await this.#state.try((state) =>
        withRun(state, { ...run, step: index, begun: true }),
      );
      if (!begun) return `${place.name}: the journal cannot be written, so the step was not begun`;
      const failure = await this.#step(step, place, permit);
      if (failure !== undefined) return `${place.name}: ${failure}`;
      await this.#state.try((state) => withRun(state, { ...run, step: index + 1, begun: false }));
    }
    return undefined;
  }

  /** Every step runs, whatever the others did, and also if the journal cannot be written. */
  async #runAlways(run: RunRecord, sequence: Sequence, first: number, failure: string | undefined) {
    const part = 'always';
    for (const [step, planned] of sequence.always.entries()) {
      if (step < first) continue;
      await this.#state.try((state) =>
        withRun(state, { ...run, part, step, begun: true, failure }),
      );
      const place = this.#placeOf(sequence.name, part, step, planned);
      await this.#step(planned, place, ALWAYS);
    }
  }

  async #step(step: Step, place: StepPlace, permit: Permit): Promise<string | undefined> {
    this.#place = { ...place, since: rfc3339(Date.now()) };
    this.#observer.changed();
    const start = performance.now();
    const failure = await this.#perform(step, place, permit);
    this.#observer.stepEnded(place, failure, performance.now() - start);
    return failure;
  }

  /** Returns the permission to run the steps of a sequence; undefined if only the leader has it. */
  #permit(planned: Sequence): Permit | undefined {
    const { signal } = this.#steps;
    if (!isLeaderOnly(planned)) return { signal, check: () => signal.throwIfAborted() };
    const term = this.#term();
    if (!term) return undefined;
    return {
      signal: AbortSignal.any([signal, term.over]),
      check: () => {
        signal.throwIfAborted();
        if (!term.holds()) throw new ExpectedError(NOT_LEADING);
      },
    };
  }

  #placeOf(sequence: string, part: StepPlace['part'], index: number, step: Step): StepPlace {
    return { sequence, part, index, name: stepName(step) };
  }
}

const NOT_LEADING = 'no longer the leader';

function withRun(state: JournalState, run: RunRecord): JournalState {
  return { ...state, run };
}

function digestOf(sequence: Sequence): string {
  return new Sha256().update(JSON.stringify(sequence)).digest().slice(0, 16);
}
