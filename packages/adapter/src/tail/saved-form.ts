import type { SavedGeneration, SavedMark } from '../state/state-file.ts';
import { fingerprint } from './bytes.ts';
import type { Cursor, Mark } from './cursor.ts';

/** The parts of a generation that are saved. */
export interface Savable {
  readonly id: string;
  readonly log: string;
  readonly path: string;
  readonly inode: string;
  readonly birth: bigint;
  readonly head: Buffer;
  readonly mtime: number;
  readonly cursors: readonly Cursor[];
  readonly clamp: Mark | undefined;
  readonly saved: SavedGeneration | undefined;
  readonly finished: boolean;
  readonly ended: boolean;
}

interface Kept extends Pick<Savable, 'path' | 'inode' | 'mtime' | 'saved' | 'finished' | 'ended'> {
  readonly text: string;
  readonly marks: readonly Mark[];
  readonly head: number;
}

/** The saved state of one generation as JSON, which is built again only if something changed. */
export class SavedForm {
  readonly #outputs: readonly string[];
  #kept: Kept | undefined;

  /** @param outputs the names of the outputs, in the order of the cursors. */
  constructor(outputs: readonly string[]) {
    this.#outputs = outputs;
  }

  textOf(generation: Savable): string {
    const { path, inode, mtime, clamp, saved, finished, ended, cursors } = generation;
    const head = generation.head.length;
    const marks = cursors.map(({ acked }) =>
      clamp && acked.offset > clamp.offset ? clamp : acked,
    );
    const kept = this.#kept;
    const same =
      kept?.marks.every((mark, i) => mark === marks[i]) &&
      kept.path === path &&
      kept.inode === inode &&
      kept.mtime === mtime &&
      kept.saved === saved &&
      kept.finished === finished &&
      kept.ended === ended &&
      kept.head === head;
    if (kept && same) return kept.text;
    const text = JSON.stringify({
      ...(saved ? { ...saved, path } : this.#facts(generation, marks)),
      ...(finished ? { finished } : {}),
      ...(ended ? { ended } : {}),
    });
    this.#kept = { text, marks, path, inode, mtime, saved, finished, ended, head };
    return text;
  }

  #facts(generation: Savable, marks: readonly Mark[]): SavedGeneration {
    const { id, log, path, inode, birth, head, mtime } = generation;
    const slowest = marks.reduce((a, b) => (b.offset < a.offset ? b : a));
    const further = this.#outputs.flatMap((name, i) =>
      marks[i]!.offset > slowest.offset ? [[name, savedMark(marks[i]!)] as const] : [],
    );
    return {
      ...{ id, log, path, inode, birth: String(birth) },
      head: { length: head.length, hash: fingerprint(head) },
      ...savedMark(slowest),
      mtime,
      ...(further.length > 0 ? { outputs: Object.fromEntries(further) } : {}),
    };
  }
}

/** Returns the furthest of the saved marks, which identifies the file best. */
export function furthestOf(saved: SavedGeneration): SavedMark {
  let furthest: SavedMark = saved;
  for (const mark of Object.values(saved.outputs ?? {})) {
    if (mark.offset > furthest.offset) furthest = mark;
  }
  return furthest;
}

function savedMark({ offset, tail, inLine }: Mark): SavedMark {
  return { offset, tail: { length: tail.length, hash: fingerprint(tail) }, inLine };
}
