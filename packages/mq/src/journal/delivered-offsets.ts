import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileNameOf } from '../queue/ends.ts';
import { readSlotFile, SlotFile } from './slot-file.ts';

/** The most streams that are remembered; the least recent one is forgotten first. */
const STREAMS = 32;

interface State {
  /** The sequence up to which all is delivered, by stream; the most recent one last. */
  readonly streams: readonly (readonly [stream: string, sequence: number])[];
  /** The stream whose exit message was the last thing delivered. */
  readonly ended?: string | undefined;
  /** Lets the sink continue exactly there: for a file, its inode and length. */
  readonly sink?: SinkMark | undefined;
}

export interface SinkMark {
  readonly inode: number;
  readonly size: number;
}

/** Stores what the consumer has delivered, so that a restarted one drops what is sent again. */
export class DeliveredOffsets {
  readonly #file: SlotFile<State>;
  readonly #streams: Map<string, number>;
  #latest = '';
  ended: string | undefined;

  /** Opens or creates the file. @throws the system call's error. */
  constructor(path: string, options?: { readonly sync?: boolean }) {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    this.#file = new SlotFile<State>(path, { streams: [] }, options);
    this.#streams = new Map(this.#file.value.streams);
    this.ended = this.#file.value.ended;
  }

  /** Whether what was stored last may be lost: then records may be delivered again. */
  get damaged(): boolean {
    return this.#file.damaged;
  }

  /** An older mark would cut off records that were acknowledged, so a damaged file has none. */
  get sink(): SinkMark | undefined {
    return this.#file.damaged ? undefined : this.#file.value.sink;
  }

  get streams(): ReadonlyMap<string, number> {
    return this.#streams;
  }

  /** Returns the sequence up to which all of a stream is received; 0 for an unknown one. */
  received(stream: string): number {
    return this.#streams.get(stream) ?? 0;
  }

  /** Notes what was received; `keep` stores it. */
  note(stream: string, sequence: number): void {
    if (stream !== this.#latest) {
      this.#streams.delete(stream);
      this.#latest = stream;
    }
    this.#streams.set(stream, sequence);
  }

  /** Stores what is noted as delivered. @throws the system call's error. */
  keep(sink: SinkMark | undefined): void {
    if (this.#streams.size > STREAMS) {
      for (const stream of [...this.#streams.keys()].slice(0, -STREAMS)) {
        this.#streams.delete(stream);
      }
    }
    this.#file.write({ streams: [...this.#streams], ended: this.ended, sink });
  }

  close(): void {
    this.#file.close();
  }
}

/** Returns the path of the file of a consumer, on the volume that both sides share. */
export function deliveredPath(options: {
  readonly journal: string | undefined;
  readonly queue: string;
}): string {
  return join(options.journal ?? '', `${fileNameOf(options.queue)}.inbox`);
}

/** Reads how far a consumer has delivered a stream; 0 if its file cannot be read. */
export function deliveredUpTo(path: string, stream: string): number {
  const state = readSlotFile<State>(path);
  return state?.streams.find(([name]) => name === stream)?.[1] ?? 0;
}
