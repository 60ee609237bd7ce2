import type { Envelope } from '../parse/envelope.ts';
import type { Pattern } from '../parse/regex.ts';
import type { Generation } from '../tail/generation.ts';
import { LineFlag } from '../tail/line-splitter.ts';

export interface JoinOptions {
  /** A line that matches starts a new event; undefined joins no lines. */
  readonly start: Pattern | undefined;
  /** The format of the container runtime, which splits long messages; undefined if it is none. */
  readonly envelope: Envelope | undefined;
  readonly maxLines: number;
  /** In characters. */
  readonly maxSize: number;
}

/** Lines that will become one record. */
interface Event {
  /** The first line as it was read. */
  readonly line: string;
  message: string;
  /** True if the message is no longer that of the first line. */
  joined: boolean;
  /** The file and offset of its first line, which identify it. */
  readonly source: Generation;
  readonly offset: number;
  /** The offsets of its first and its last line so far; -1 if they are in an earlier file. */
  first: number;
  last: number;
  /**
   * The offset at which reading may begin again to find it: before its first line if an event of another stream,
   * already passed on, lies around that. Such an event, cut, would be another record.
   */
  from: number;
  flag: LineFlag;
  lines: number;
}

interface Held {
  /** By stream: messages of the container runtime whose last part is missing. */
  readonly parts: Map<string, Event>;
  /** By stream: events that the next line may continue. */
  readonly events: Map<string, Event>;
}

type Emit = (text: string, offset: number, flag: LineFlag, source: Generation) => void;

/** Joins the lines of an event, such as a stack trace, and the parts of a split message. */
export class Joiner {
  readonly #options: JoinOptions;
  readonly #held = new Map<Generation, Held>();

  constructor(options: JoinOptions) {
    this.#options = options;
  }

  add(generation: Generation, text: string, offset: number, flag: LineFlag, emit: Emit): void {
    const held = this.#of(generation);
    const enclosed = this.#options.envelope?.open(text);
    const { stream = '', message = text, more = false } = enclosed ?? {};
    const open = held.parts.get(stream);
    const whole = open ?? {
      line: text,
      message,
      joined: false,
      source: generation,
      offset,
      first: offset,
      last: offset,
      from: offset,
      flag,
      lines: 1,
    };
    if (open) {
      open.message += message;
      open.joined = true;
      open.last = offset;
      open.flag ||= flag;
    }
    if (more && whole.message.length < this.#options.maxSize) {
      held.parts.set(stream, whole);
      return;
    }
    if (more) whole.flag = LineFlag.partial;
    held.parts.delete(stream);
    this.#line(held, stream, whole, emit);
  }

  /**
   * Returns the offset from which all waiting lines, and only complete events, are read again;
   * undefined if no line waits.
   */
  heldFrom(generation: Generation): number | undefined {
    const held = this.#held.get(generation);
    if (!held || held.parts.size + held.events.size === 0) return undefined;
    let first = Number.POSITIVE_INFINITY;
    for (const { from } of held.parts.values()) first = Math.min(first, from);
    for (const { from } of held.events.values()) first = Math.min(first, from);
    return first;
  }

  /** Lets events that wait in a file go on in the next one, of which no line was added yet. */
  move(from: Generation, to: Generation): void {
    const held = this.#of(from);
    this.#held.delete(from);
    for (const waiting of [held.parts, held.events]) {
      for (const event of waiting.values()) {
        event.first = -1;
        event.last = -1;
        event.from = 0;
      }
    }
    this.#held.set(to, held);
  }

  /** Emits all waiting lines. */
  flush(generation: Generation, emit: Emit): void {
    const held = this.#held.get(generation);
    if (!held) return;
    for (const [stream, part] of held.parts) {
      part.flag ||= LineFlag.partial;
      this.#line(held, stream, part, emit);
    }
    for (const event of held.events.values()) this.#emit(event, emit);
    this.#held.delete(generation);
  }

  close(generation: Generation): void {
    this.#held.delete(generation);
  }

  #line(held: Held, stream: string, line: Event, emit: Emit): void {
    const { start, maxLines, maxSize } = this.#options;
    const { events } = held;
    if (!start) {
      extend(held, line);
      this.#emit(line, emit);
      return;
    }
    const current = events.get(stream);
    // The rest of a split line continues the event, whether or not it matches.
    const begins = line.flag !== LineFlag.partial && start.test(line.message);
    if (current && !begins && current.lines < maxLines && current.message.length < maxSize) {
      current.message += `\n${line.message}`;
      current.joined = true;
      current.last = line.last;
      current.from = Math.min(current.from, line.from);
      current.lines++;
      current.flag ||= line.flag;
      return;
    }
    events.set(stream, line);
    if (current) {
      extend(held, current);
      this.#emit(current, emit);
    }
  }

  #emit({ line, message, joined, source, offset, flag }: Event, emit: Emit): void {
    const { envelope } = this.#options;
    emit(!joined ? line : envelope ? envelope.seal(line, message) : message, offset, flag, source);
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

/** Notes that a passed event lies around the place from which waiting ones would be read again. */
function extend({ parts, events }: Held, { first, last, from }: Event): void {
  for (const waiting of [parts, events]) {
    for (const other of waiting.values()) {
      if (other.from > first && other.from <= last) other.from = Math.min(other.from, from);
    }
  }
}
