import { ExpectedError, errorText } from '@sidekit/core';
import type { Journal, JournalState } from '../journal/journal.ts';

/** Receives what becomes of the saves. */
export interface SaveObserver {
  /** The journal could not be written (an error), or could again (undefined). */
  journal(failure: string | undefined): void;
  /** The state has changed, or anything else that `Runner.state` shows. */
  changed(): void;
}

/** A state that is durable in a journal: one save after the other, each with the newest state. */
export class SavedState {
  readonly #journal: Journal;
  readonly #observer: SaveObserver;
  #value: JournalState;
  #saving: Promise<void> = Promise.resolve();
  #unwritten = false;

  constructor(journal: Journal, state: JournalState, observer: SaveObserver) {
    this.#journal = journal;
    this.#value = state;
    this.#observer = observer;
  }

  /** The state of the last save that worked. */
  get value(): JournalState {
    return this.#value;
  }

  /** Whether the last save failed. */
  get unwritten(): boolean {
    return this.#unwritten;
  }

  /**
   * Saves the change of the newest state; a change that returns the same state costs nothing.
   * @throws {ExpectedError} if the journal cannot be written: the state stays as it was.
   */
  async save(change: (state: JournalState) => JournalState): Promise<void> {
    const saved = this.#saving.then(async () => {
      const next = change(this.#value);
      if (next === this.#value) return;
      try {
        await this.#journal.save(next);
        this.#unwritten = false;
        this.#observer.journal(undefined);
      } catch (error) {
        this.#unwritten = true;
        this.#observer.journal(errorText(error));
        throw new ExpectedError(`the journal cannot be written: ${errorText(error)}`);
      }
      this.#value = next;
      this.#observer.changed();
    });
    this.#saving = saved.catch(() => {});
    await saved;
  }

  /** Saves, and reports whether that worked. */
  async try(change: (state: JournalState) => JournalState): Promise<boolean> {
    try {
      await this.save(change);
      return true;
    } catch {
      // The observer has reported it.
      return false;
    }
  }
}
