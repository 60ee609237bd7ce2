import type { JournalState } from '../journal/journal.ts';
import type { Sequence } from '../plan/sequence.ts';
import { OBSERVED, observedKey } from '../trigger/observed-key.ts';

/**
 * Returns what a plan needs of a state that was saved under an earlier one: sequences and triggers
 * that the plan no longer has are forgotten, so that the journal does not grow from plan to plan.
 */
export function restoredState(state: JournalState, plan: readonly Sequence[]): JournalState {
  const names = new Set(plan.map(({ name }) => name));
  const keys = new Set([
    OBSERVED,
    ...plan.flatMap(({ name, when }) => when.map((one, i) => observedKey(name, i, one))),
  ]);
  return {
    ...state,
    pending: [...new Set(state.pending.filter((name) => names.has(name)))],
    last: only(state.last, names),
    observed: only(state.observed, keys),
  };
}

function only<T>(values: Readonly<Record<string, T>>, keys: ReadonlySet<unknown>) {
  return Object.fromEntries(Object.entries(values).filter(([key]) => keys.has(key)));
}
