import type { LastRun } from '../journal/journal.ts';
import type { SaveObserver } from './saved-state.ts';

/** A step of a run, as observers see it. */
export interface StepPlace {
  readonly sequence: string;
  readonly part: 'steps' | 'always';
  readonly index: number;
  readonly name: string;
}

/** Receives what happens: for the log, the metrics, the health and the state file. */
export interface Observer extends SaveObserver {
  sequenceStarted(sequence: string, resumed: boolean): void;
  stepEnded(place: StepPlace, failure: string | undefined, milliseconds: number): void;
  sequenceEnded(sequence: string, last: LastRun): void;
  /** A sequence of the leader was dropped, since this replica does not lead. */
  sequenceSkipped(sequence: string): void;
}
