import type { Step } from '../plan/step.ts';
import type { StepPlace } from './observer.ts';

/** The permission to perform a step. */
export interface Permit {
  /** Aborts when it ends; the reason is an Error that says why. */
  readonly signal: AbortSignal;
  /** Asked right before each effect: the signal of a process that did not run is late. @throws */
  check(): void;
}

/** The permission of the `always` part, which nothing ends. */
export const ALWAYS: Permit = { signal: new AbortController().signal, check: () => {} };

/** Performs one step with its attempts. Returns why it failed; undefined if it succeeded. */
export type Perform = (step: Step, place: StepPlace, permit: Permit) => Promise<string | undefined>;
