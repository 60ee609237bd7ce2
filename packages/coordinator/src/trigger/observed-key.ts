import type { Trigger } from '../plan/sequence.ts';

/** The key of the journal that remembers the last change of leadership that was triggered. */
export const OBSERVED = 'leadership';

/**
 * Returns the key of the journal that remembers the last observation of a trigger that compares;
 * undefined of another trigger. Another path or target is another key: it has no last observation.
 */
export function observedKey(
  sequence: string,
  index: number,
  { changed, condition }: Trigger,
): string | undefined {
  const what = changed ?? condition?.target.text;
  return what === undefined ? undefined : `${sequence}[${index}] ${what}`;
}
