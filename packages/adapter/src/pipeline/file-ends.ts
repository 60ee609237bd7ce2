import type { Mark } from '../tail/cursor.ts';
import type { Generation } from '../tail/generation.ts';

/**
 * The ends of rotated files of which an event goes on in the next one: they are acknowledged with
 * that event, so that after a crash it is read again as a whole.
 */
export class FileEnds {
  readonly #ends = new Map<Generation, { next: Generation; read: Mark }>();

  /** Notes that an event of a file, which was read up to a mark, goes on in the next one. */
  wait(generation: Generation, read: Mark, next: Generation): void {
    for (const end of this.#ends.values()) if (end.next === generation) end.next = next;
    this.#ends.set(generation, { next, read });
  }

  /** Lets everything before a mark be acknowledged, now or with the event that goes on. */
  passed(marks: Map<Generation, Mark>, generation: Generation, mark: Mark): void {
    const end = this.#ends.get(generation);
    if (end) end.read = mark;
    else marks.set(generation, mark);
  }

  /** Lets the ends be acknowledged whose events, which went on in this file, were emitted. */
  release(marks: Map<Generation, Mark>, next: Generation): void {
    for (const [generation, end] of this.#ends) {
      if (end.next !== next) continue;
      this.#ends.delete(generation);
      marks.set(generation, end.read);
    }
  }
}
