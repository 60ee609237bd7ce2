/** The kubelet's three probes: has it started, may it get work, is it still alive. */
export type Probe = 'startup' | 'ready' | 'live';

export interface Reason {
  readonly name: string;
  readonly reason: string;
}

export interface HealthReport {
  readonly status: 'ok' | 'unavailable';
  /** Why it is unavailable; empty if it is ok. */
  readonly reasons: readonly Reason[];
  /** Problems that do not make it unavailable, such as a refused reload. */
  readonly warnings: readonly Reason[];
}

/** One thing that health depends on. A new condition fails, with the reason "starting". */
export interface Condition {
  pass(): void;
  fail(reason: string): void;
  /** Passes, with something worth saying. */
  warn(reason: string): void;
}

/** A warning of the health; absent until it is set. */
export interface Warning {
  set(reason: string): void;
  clear(): void;
}

interface State {
  readonly probes: readonly Probe[];
  status: 'pass' | 'fail' | 'warn';
  reason: string;
}

/**
 * The health of a process, as conditions that each affect some probes. Startup, once it has
 * passed, stays passed; a process without conditions is well.
 */
export class Health {
  readonly #conditions = new Map<string, State>();
  readonly #listeners = new Set<() => void>();
  #started = false;

  /** Adds a condition, or returns to an existing one of that name. */
  condition(name: string, ...probes: readonly Probe[]): Condition {
    const state: State = this.#conditions.get(name) ?? {
      probes,
      status: 'fail',
      reason: 'starting',
    };
    this.#conditions.set(name, state);
    const set = (status: State['status'], reason: string) => {
      if (state.status === status && state.reason === reason) return;
      state.status = status;
      state.reason = reason;
      // Checked here too, so that a short pass between two probes counts.
      if (state.probes.includes('startup')) this.report('startup');
      for (const listener of this.#listeners) listener();
    };
    return {
      pass: () => set('pass', ''),
      fail: (reason) => set('fail', reason),
      warn: (reason) => set('warn', reason),
    };
  }

  report(probe: Probe): HealthReport {
    const reasons: Reason[] = [];
    const warnings: Reason[] = [];
    let conditions = 0;
    for (const [name, { probes, status, reason }] of this.#conditions) {
      if (status === 'warn') warnings.push({ name, reason });
      if (!probes.includes(probe)) continue;
      conditions++;
      if (status === 'fail') reasons.push({ name, reason });
    }
    if (probe === 'startup') {
      // Without conditions nothing has passed yet: one may still be added.
      this.#started ||= conditions > 0 && reasons.length === 0;
      if (this.#started) return { status: 'ok', reasons: [], warnings };
    }
    return { status: reasons.length === 0 ? 'ok' : 'unavailable', reasons, warnings };
  }

  /** Adds a warning, which `/readyz` lists without failing: refused work, a reload that failed. */
  warning(name: string): Warning {
    const condition = this.condition(name);
    condition.pass();
    return { set: (reason) => condition.warn(reason), clear: () => condition.pass() };
  }

  /** Calls `listener` after each change; returns the function that ends it. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
