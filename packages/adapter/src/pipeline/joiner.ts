import { criTag } from '../parse/cri.ts';
import type { Pattern } from '../parse/regex.ts';
import type { Generation } from '../tail/generation.ts';
import { LineFlag } from '../tail/line-splitter.ts';

export interface JoinOptions {
  /** A line that matches starts a new event; undefined joins no lines. */
  readonly start: Pattern | undefined;
  /** True joins the parts into which the container runtime split a message. */
  readonly cri: boolean;
  readonly maxLines: number;
  /** In characters. */
  readonly maxSize: number;
}

/** Lines that will become one record. */
interface Event {
  text: string;
  readonly offset: number;
  flag: LineFlag;
  lines: number;
}

interface Held {
  /** By stream: messages of the container runtime whose last part is missing. */
  readonly parts: Map<string, Event>;
  /** By stream: events that the next line may continue. */
  readonly events: Map<string, Event>;
}

type Emit = (text: string, offset: number, flag: LineFlag) => void;

const CRI_HEAD = /^\S+ \S+ \S+ ?/;

/** Joins the lines of an event, such as a stack trace, and the parts of a split message. */
export class Joiner {
  readonly #options: JoinOptions;
  readonly #held = new Map<Generation, Held>();

  constructor(options: JoinOptions) {
    this.#options = options;
  }

  add(generation: Generation, text: string, offset: number, flag: LineFlag, emit: Emit): void {
    const held = this.#of(generation);
    const tag = this.#options.cri ? criTag(text) : undefined;
    const stream = tag?.stream ?? '';
    const open = held.parts.get(stream);
    const line: Event = { text, offset, flag, lines: 1 };
    if (!open && !tag?.more) {
      this.#line(held, stream, line, emit);
      return;
    }
    const whole = open ?? line;
    if (open) {
      open.text += message(text, tag !== undefined);
      open.flag ||= flag;
    }
    if (tag?.more && whole.text.length < this.#options.maxSize) {
      held.parts.set(stream, whole);
      return;
    }
    if (tag?.more) whole.flag = LineFlag.partial;
    held.parts.delete(stream);
    this.#line(held, stream, whole, emit);
  }

  /** Returns the offset of the first waiting line; undefined if there is none. */
  heldFrom(generation: Generation): number | undefined {
    const held = this.#held.get(generation);
    if (!held || held.parts.size + held.events.size === 0) return undefined;
    let first = Number.POSITIVE_INFINITY;
    for (const { offset } of held.parts.values()) first = Math.min(first, offset);
    for (const { offset } of held.events.values()) first = Math.min(first, offset);
    return first;
  }

  /** Emits all waiting lines. */
  flush(generation: Generation, emit: Emit): void {
    const held = this.#held.get(generation);
    if (!held) return;
    for (const [stream, part] of held.parts) {
      part.flag ||= LineFlag.partial;
      this.#line(held, stream, part, emit);
    }
    for (const event of held.events.values()) emit(event.text, event.offset, event.flag);
    this.#held.delete(generation);
  }

  close(generation: Generation): void {
    this.#held.delete(generation);
  }

  #line({ events }: Held, stream: string, line: Event, emit: Emit): void {
    const { start, cri, maxLines, maxSize } = this.#options;
    if (!start) {
      emit(line.text, line.offset, line.flag);
      return;
    }
    const text = message(line.text, cri);
    const current = events.get(stream);
    // The rest of a split line continues the event, whether or not it matches.
    const begins = line.flag !== LineFlag.partial && start.test(text);
    if (current && !begins && current.lines < maxLines && current.text.length < maxSize) {
      current.text += `\n${text}`;
      current.lines++;
      current.flag ||= line.flag;
      return;
    }
    if (current) emit(current.text, current.offset, current.flag);
    events.set(stream, line);
  }

  #of(generation: Generation): Held {
    let held = this.#held.get(generation);
    if (!held) {
      held = { parts: new Map(), events: new Map() };
      this.#held.set(generation, held);
    }
    return held;
  }
}

function message(line: string, cri: boolean): string {
  return cri ? line.replace(CRI_HEAD, '') : line;
}
