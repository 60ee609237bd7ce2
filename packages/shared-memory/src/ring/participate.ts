import { setTimeout as pause } from 'node:timers/promises';
import { SharedMemoryError } from '../native/error.ts';
import { openRing, type RingOptions } from './open.ts';
import { type Instrument, Participant } from './participant.ts';

/** How long a slot that is held is tried, in milliseconds. */
const PATIENCE = 1000;

/**
 * Opens a ring and takes one of the slots. The kernel releases a slot when it has taken the process
 * of its holder apart, so a successor that finds it held tries for a second. @throws {SharedMemoryError} EBUSY if others hold all slots.
 */
export async function participate(
  options: RingOptions,
  slots: readonly number[],
  instrument?: Instrument,
): Promise<Participant> {
  for (const start = performance.now(); ; await pause(20)) {
    const ring = await openRing(options);
    try {
      return new Participant(options.name, ring, slots, instrument);
    } catch (error) {
      const busy = error instanceof SharedMemoryError && error.code === 'EBUSY';
      if (!busy || performance.now() - start > PATIENCE) throw error;
    }
  }
}
