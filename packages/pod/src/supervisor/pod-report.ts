import { writeSync } from 'node:fs';
import { errorText } from '@sidekit/core/tool';
import type { Note } from '../lifecycle/types.ts';
import type { PodFolder } from '../store/folder.ts';
import { Recurring } from './recurring.ts';

/** The pause before a status that could not be written is written again, in milliseconds. */
const RETRY = 1000;

/** Writes to a Pod's folder, from which commands show its status and timeline. */
export class PodReport {
  readonly #folder: PodFolder;
  readonly #again: () => void;
  readonly #recurring = new Recurring();
  #timer: NodeJS.Timeout | undefined;

  /** @param again is called some time after something could not be written. */
  constructor(folder: PodFolder, again: () => void) {
    this.#folder = folder;
    this.#again = again;
  }

  /** Adds a note to the timeline, unless it is one of very many alike. */
  note({ reason, container, message }: Omit<Note, 'type'>): void {
    const recurs = reason === 'Unhealthy' || reason === 'ProbeError';
    if (recurs && !this.#recurring.keeps(`${reason} ${container}`, Date.now())) return;
    const time = new Date().toISOString();
    const entry = { time, reason, ...(container ? { container } : {}), message };
    this.write(() => this.#folder.note(entry));
  }

  /** Writes to the folder; a full disk must not end the Pod: its status is written later. */
  write(write: () => void): void {
    try {
      write();
    } catch (error) {
      complain(errorText(error));
      clearTimeout(this.#timer);
      this.#timer = setTimeout(this.#again, RETRY);
    }
  }

  close(): void {
    clearTimeout(this.#timer);
  }
}

/** Writes to the supervisor's log, which may be on the disk that is full. */
function complain(text: string) {
  try {
    writeSync(2, `${new Date().toISOString()} ${text}\n`);
  } catch {}
}
