import type { Words } from './words.ts';

/**
 * An event is one word: the lowest bit says that somebody waits, the others count how often the
 * event was signalled. Who waits sets the bit, then checks the condition, then waits while the
 * word keeps its value. Who made the condition true signals after it: if the bit is set it adds
 * one, which clears the bit and counts, and wakes. Either the waiter sees the condition or the
 * signal changes the word that it waits for, so no wake-up is lost; and without waiters a signal
 * is one load.
 */
export function arm(words: Words, index: number): number {
  const value = words.load(index);
  // If another side is faster, the word either has this value, with the bit, or another one: then
  // the wait ends at once. What the exchange found must not be waited for: it may lack the bit.
  if (!(value & 1)) words.compareExchange(index, value, value | 1);
  return value | 1;
}

/** Wakes whoever waits for the event; its condition is true already. */
export function signal(words: Words, index: number): void {
  const value = words.load(index);
  if (!(value & 1)) return;
  // If this fails, another side has signalled: whoever set the bit since then checks after it.
  if (words.compareExchange(index, value, (value + 1) | 0) === value) words.wake(index);
}
