import { join } from 'node:path';
import { joinedLines } from './joined-lines.ts';
import { MOODS, type Mood, setMood } from './moods.ts';
import { parkedRecords } from './parked-records.ts';
import type { Receiver } from './receiver.ts';
import { type Line, type LineKind, WrittenLog, type WrittenLogOptions } from './written-log.ts';

/** An event of a log or its reader. */
export type Step =
  | { readonly kind: 'write'; readonly lines: number }
  | { readonly kind: Exclude<LineKind, 'plain'> | 'part' }
  | { readonly kind: (typeof ROTATIONS)[number] }
  | { readonly kind: 'recreate' | Mood }
  | { readonly kind: (typeof READER)[number] };

const ROTATIONS = [
  ...(['rename', 'shift', 'copytruncate', 'datedCopy', 'compress', 'move'] as const),
  ...(['truncate', 'delete'] as const),
] as const;
const READER = ['poll', 'settle', 'wait', 'stop', 'kill'] as const;

export const STEP_KINDS: readonly Step['kind'][] = [
  ...(['write', 'part', 'deep', 'huge', 'poison', 'recreate'] as const),
  ...ROTATIONS,
  ...MOODS,
  ...READER,
];

/** An adapter under test. */
export interface Subject {
  /** Makes it poll and read; returns whether it now has every existing file open. */
  poll(): Promise<boolean>;
  /** Lets it deliver everything; `done` returns whether the receiver has all lines. */
  settle(done: () => boolean): Promise<void>;
  stop(): Promise<void>;
  /** Ends it as SIGKILL does. */
  crash(): Promise<void>;
}

export interface Setting {
  readonly receiver: Receiver;
  /** The records that the receiver has accepted, as JSON lines have them. */
  readonly records: () => readonly Record<string, unknown>[];
  /** Starts an adapter that follows `live`; its state is in `state` of the directory. */
  readonly start: (directory: string, live: string, clock: { now: number }) => Subject;
  /**
   * Whether everything that `settle` delivered is also saved: a real process saves it with the
   * next checkpoint, and until then may deliver it again.
   */
  readonly exact: boolean;
}

/** A log, an adapter that reads it, and a check that every line arrives. */
export class LossModel {
  readonly #directory: string;
  readonly #log: WrittenLog;
  readonly #setting: Setting;
  readonly #clock: { now: number } = { now: Date.now() };
  readonly #faults: string[] = [];
  #adapter: Subject;
  #ended = false;
  #deliveredWhenSettled = new Map<string, number>();

  constructor(directory: string, setting: Setting, options: WrittenLogOptions) {
    this.#directory = directory;
    this.#setting = setting;
    this.#log = new WrittenLog(directory, options, () => this.#clock.now++);
    setMood(setting.receiver, 'well');
    this.#adapter = this.#start();
  }

  async run(step: Step): Promise<void> {
    const { receiver } = this.#setting;
    const log = this.#log;
    switch (step.kind) {
      case 'write':
        for (let i = 0; i < step.lines; i++) log.write();
        break;
      case 'deep':
      case 'huge':
      case 'poison':
        log.write(step.kind);
        break;
      case 'recreate':
        log.delete();
        log.write();
        break;
      case 'poll':
        log.opened = (await this.#adapter.poll()) && log.exists;
        log.known ||= log.opened;
        break;
      case 'settle':
        await this.#settle();
        break;
      case 'wait':
        this.#clock.now += 6_000;
        break;
      case 'stop':
        setMood(receiver, 'well');
        await this.#adapter.stop();
        this.#adapter = this.#start();
        log.opened = false;
        break;
      case 'kill':
        await this.#adapter.crash();
        log.readerDied();
        this.#adapter = this.#start();
        break;
      case 'well':
      case 'down':
      case 'expired':
      case 'limited':
      case 'picky':
      case 'silent':
      case 'broken':
      case 'partial':
        setMood(receiver, step.kind);
        break;
      default:
        log[step.kind]();
    }
  }

  /** Ends the log and the adapter; returns all faults. */
  async verdict(): Promise<string[]> {
    this.#log.endLine();
    for (let i = 0; i < 4; i++) {
      await this.#settle();
      this.#clock.now += 70_000;
    }
    await this.#adapter.stop();
    this.#ended = true;
    const aboutKeys = this.#log.isAmbiguous ? [] : [...this.#disorder(), ...this.#strangers()];
    return [...this.#faults, ...this.#missing(), ...aboutKeys];
  }

  /** Ends the adapter if the verdict did not. */
  async end(): Promise<void> {
    if (!this.#ended) await this.#adapter.crash();
  }

  #start(): Subject {
    return this.#setting.start(this.#directory, this.#log.path, this.#clock);
  }

  async #settle(): Promise<void> {
    setMood(this.#setting.receiver, 'well');
    await this.#adapter.settle(() => {
      const counts = this.#counts();
      const parked = this.#parked();
      return this.#log.due().every(({ text }) => counts.has(text) || parked.has(text));
    });
    if (this.#setting.exact) {
      // Copies that were written a moment ago are read once it is clear what they are.
      this.#clock.now += 6_000;
      await this.#adapter.settle(() => true);
    }
    this.#log.opened = this.#setting.exact && this.#log.exists;
    this.#log.known ||= this.#log.opened;
    const delivered = this.#counts();
    const parked = this.#parked();
    for (const line of this.#log.inLive) this.#mustBeThere(line, delivered);
    for (const line of this.#log.due()) {
      if (!delivered.has(line.text) && !parked.has(line.text)) {
        this.#faults.push(`not delivered when settled: ${line.text}`);
      }
      line.settled = true;
    }
    this.#log.settled();
    this.#deliveredWhenSettled = delivered;
  }

  #mustBeThere(line: Line, delivered: ReadonlyMap<string, number>) {
    if (
      this.#setting.exact &&
      line.settled &&
      (delivered.get(line.text) ?? 0) > (this.#deliveredWhenSettled.get(line.text) ?? 1)
    ) {
      this.#faults.push(`delivered again after it was acknowledged: ${line.text}`);
    }
  }

  #counts(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const text of joinedLines(this.#setting.records())) {
      counts.set(text, (counts.get(text) ?? 0) + 1);
    }
    return counts;
  }

  /** The lines of the parked records, and whether each was refused on its own. */
  #parked(): Map<string, boolean> {
    const all = new Map<string, boolean>();
    for (const { record, alone } of parkedRecords(join(this.#directory, 'state/parked'))) {
      for (const text of joinedLines([record])) all.set(text, alone);
    }
    return all;
  }

  #missing(): string[] {
    const counts = this.#counts();
    const parked = this.#parked();
    const faults = this.#log.lines
      .filter(({ text, excused }) => !excused && !counts.has(text) && !parked.has(text))
      .map(({ text }) => `lost: ${text}`);
    for (const { text, refusable } of this.#log.lines) {
      if (parked.get(text) && !refusable) faults.push(`refused on its own: ${text}`);
    }
    for (const { text, settled } of this.#setting.exact ? this.#log.lines : []) {
      const before = this.#deliveredWhenSettled.get(text) ?? 1;
      if (settled && (counts.get(text) ?? 0) > before) faults.push(`twice: ${text}`);
    }
    return faults;
  }

  /** Within a file, offsets only grow from first delivery to first delivery. */
  #disorder(): string[] {
    const seen = new Set<string>();
    const furthest = new Map<unknown, number>();
    const faults: string[] = [];
    for (const { 'file.id': id, offset } of this.#setting.records()) {
      const key = `${String(id)} ${String(offset)}`;
      if (seen.has(key)) continue;
      seen.add(key);
      if (Number(offset) < (furthest.get(id) ?? 0)) faults.push(`out of order: ${key}`);
      furthest.set(id, Number(offset));
    }
    return faults;
  }

  /** A line that arrives again has the key that it had at first. */
  #strangers(): string[] {
    const keys = new Map<unknown, string>();
    const faults: string[] = [];
    for (const { message, partial, 'file.id': id, offset } of this.#setting.records()) {
      if (partial === true || !String(message).startsWith('line ')) continue;
      const key = `${String(id)} ${String(offset)}`;
      const first = keys.get(message) ?? key;
      keys.set(message, first);
      if (first !== key) faults.push(`twice, with another key: ${String(message)}`);
    }
    return faults;
  }
}
