import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  renameSync,
  truncateSync,
  unlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { joinedLines } from './joined-lines.ts';
import type { Receiver } from './receiver.ts';

/** What can happen to a log and its reader. */
export type Step =
  | { readonly kind: 'write'; readonly lines: number }
  | { readonly kind: 'part' }
  | { readonly kind: 'rename' | 'shift' | 'copytruncate' }
  | { readonly kind: 'truncate' | 'delete' | 'recreate' }
  | { readonly kind: 'look' | 'settle' | 'wait' | 'down' | 'up' | 'stop' | 'kill' };

export const STEP_KINDS: readonly Step['kind'][] = [
  ...([
    'write',
    'part',
    'rename',
    'shift',
    'copytruncate',
    'truncate',
    'delete',
    'recreate',
  ] as const),
  ...(['look', 'settle', 'wait', 'down', 'up', 'stop', 'kill'] as const),
];

interface Line {
  readonly text: string;
  /** No reader could have seen it: it was gone before the next look. */
  excused: boolean;
  /** Delivered and kept: it may not come again. */
  settled: boolean;
}

/** An adapter under test. */
export interface Subject {
  /** Makes it look and read; says whether it has everything open now that exists. */
  look(): Promise<boolean>;
  /** Lets it deliver everything; `done` says whether the receiver has what it must have. */
  settle(done: () => boolean): Promise<void>;
  stop(): Promise<void>;
  /** Ends it as SIGKILL does. */
  crash(): Promise<void>;
}

export interface Setting {
  readonly receiver: Receiver;
  /** Starts an adapter that follows `live`. */
  readonly start: (directory: string, live: string, clock: { now: number }) => Subject;
  /**
   * Whether what `settle` brought is acknowledged for good: in a real process only the next
   * write of the state makes it so, and until then it may come again.
   */
  readonly exact: boolean;
}

/** The files of one log, and every line that was ever written to it. */
export class LossModel {
  readonly lines: Line[] = [];
  readonly #directory: string;
  readonly #live: string;
  readonly #setting: Setting;
  readonly #banner: string;
  readonly #clock = { now: 1_795_000_000_000 };
  /** Lines that only the live file holds. */
  #inLive: Line[] = [];
  /** Lines of deleted files that only the reader's descriptors hold. */
  #inDeleted: Line[] = [];
  #opened = false;
  #partial = '';
  #rotations = 0;
  #adapter: Subject;
  #next: number;

  constructor(directory: string, setting: Setting, sameHead: boolean, first: number) {
    this.#directory = directory;
    this.#live = join(directory, 'logs', 'app.log');
    this.#setting = setting;
    this.#banner = sameHead ? `${'=== the same first kilobyte '.repeat(40)}\n` : '';
    this.#next = first;
    mkdirSync(join(directory, 'logs'));
    this.#adapter = this.#start();
  }

  async run(step: Step): Promise<void> {
    switch (step.kind) {
      case 'write':
        for (let i = 0; i < step.lines; i++) this.#write();
        break;
      case 'part':
        this.#part();
        break;
      case 'rename':
        this.#endLine();
        if (existsSync(this.#live)) {
          renameSync(this.#live, `${this.#live}-2026${String(++this.#rotations).padStart(6, '0')}`);
        }
        this.#newFile();
        break;
      case 'shift':
        this.#endLine();
        this.#shift();
        if (existsSync(this.#live)) renameSync(this.#live, `${this.#live}.1`);
        this.#newFile();
        break;
      case 'copytruncate':
        if (!existsSync(this.#live)) break;
        this.#endLine();
        this.#shift();
        copyFileSync(this.#live, `${this.#live}.1`);
        truncateSync(this.#live);
        this.#inLive = [];
        break;
      case 'truncate':
        if (!existsSync(this.#live)) break;
        this.#endLine();
        truncateSync(this.#live);
        this.#excuse(this.#inLive);
        this.#inLive = [];
        break;
      case 'delete':
        this.#delete();
        break;
      case 'recreate':
        this.#delete();
        this.#write();
        break;
      case 'look':
        this.#opened = (await this.#adapter.look()) && existsSync(this.#live);
        break;
      case 'settle':
        this.#setting.receiver.down = false;
        await this.#settle();
        break;
      case 'wait':
        this.#clock.now += 6_000;
        break;
      case 'down':
        this.#setting.receiver.down = true;
        break;
      case 'up':
        this.#setting.receiver.down = false;
        break;
      case 'stop':
        this.#setting.receiver.down = false;
        await this.#adapter.stop();
        this.#adapter = this.#start();
        this.#opened = false;
        break;
      case 'kill':
        await this.#adapter.crash();
        // What only the dead reader's descriptors held is gone with it.
        this.#excuse(this.#inDeleted);
        this.#inDeleted = [];
        this.#adapter = this.#start();
        this.#opened = false;
        break;
    }
  }

  /** Brings everything to an end; returns what is wrong. */
  async verdict(): Promise<string[]> {
    this.#endLine();
    this.#setting.receiver.down = false;
    for (let i = 0; i < 4; i++) {
      await this.#settle();
      this.#clock.now += 70_000;
    }
    await this.#adapter.stop();
    this.#ended = true;
    return [...this.#faults, ...this.#missing(), ...this.#disorder()];
  }

  /** Ends the adapter where the verdict did not. */
  async end(): Promise<void> {
    if (!this.#ended) await this.#adapter.crash();
  }

  readonly #faults: string[] = [];
  #ended = false;

  #start(): Subject {
    return this.#setting.start(this.#directory, this.#live, this.#clock);
  }

  async #settle(): Promise<void> {
    await this.#adapter.settle(() => {
      const counts = this.#counts();
      return this.#due().every(({ text }) => counts.has(text));
    });
    this.#opened = this.#setting.exact && existsSync(this.#live);
    const delivered = this.#counts();
    for (const line of this.#inLive) this.#mustBeThere(line, delivered);
    for (const line of this.#due()) {
      if (!delivered.has(line.text)) this.#faults.push(`not delivered when settled: ${line.text}`);
      line.settled = true;
    }
    this.#inDeleted = [];
    this.#deliveredWhenSettled = delivered;
  }

  /** The lines that must be delivered by now: those that are whole, and not excused. */
  #due(): Line[] {
    const pending = this.#partial === '' ? undefined : this.lines.at(-1);
    return this.lines.filter((line) => line !== pending && !line.excused);
  }

  #deliveredWhenSettled = new Map<string, number>();

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
    for (const text of joinedLines(this.#setting.receiver.records)) {
      counts.set(text, (counts.get(text) ?? 0) + 1);
    }
    return counts;
  }

  #missing(): string[] {
    const counts = this.#counts();
    const faults = this.lines
      .filter(({ text, excused }) => !excused && !counts.has(text))
      .map(({ text }) => `lost: ${text}`);
    for (const { text, settled } of this.#setting.exact ? this.lines : []) {
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
    for (const { 'file.id': id, offset } of this.#setting.receiver.records) {
      const key = `${String(id)} ${String(offset)}`;
      if (seen.has(key)) continue;
      seen.add(key);
      if (Number(offset) < (furthest.get(id) ?? 0)) faults.push(`out of order: ${key}`);
      furthest.set(id, Number(offset));
    }
    return faults;
  }

  #write(): void {
    if (this.#partial !== '') {
      this.#endLine();
      return;
    }
    const line = this.#newLine();
    this.#append(`${line.text}\n`);
  }

  #part(): void {
    if (this.#partial !== '') {
      const [next = '', rest = ''] = halves(this.#partial);
      this.#append(next);
      this.#partial = rest;
      if (rest === '') this.#partial = '\n';
      return;
    }
    const [now, later] = halves(this.#newLine().text);
    this.#append(now);
    this.#partial = `${later}\n`;
  }

  #endLine(): void {
    if (this.#partial !== '') this.#append(this.#partial);
    this.#partial = '';
  }

  #newLine(): Line {
    const text = `line ${String(this.#next++).padStart(9, '0')} ${'x'.repeat(this.#next % 90)}.`;
    const line = { text, excused: false, settled: false };
    if (!existsSync(this.#live)) this.#newFile();
    this.lines.push(line);
    this.#inLive.push(line);
    return line;
  }

  #append(text: string): void {
    const fresh = !existsSync(this.#live);
    appendFileSync(this.#live, fresh ? this.#banner + text : text);
    // The clock of the file system ticks in steps; that of the test follows.
    this.#clock.now += 1;
  }

  #newFile(): void {
    this.#inLive = [];
    this.#opened = false;
  }

  #shift(): void {
    const count = ++this.#rotations;
    for (let i = count; i >= 1; i--) {
      if (existsSync(`${this.#live}.${i}`)) {
        renameSync(`${this.#live}.${i}`, `${this.#live}.${i + 1}`);
      }
    }
  }

  #delete(): void {
    if (!existsSync(this.#live)) return;
    this.#endLine();
    unlinkSync(this.#live);
    if (this.#opened) this.#inDeleted.push(...this.#inLive);
    else this.#excuse(this.#inLive);
    this.#newFile();
  }

  #excuse(lines: readonly Line[]): void {
    for (const line of lines) line.excused ||= !line.settled;
  }
}

function halves(text: string): [string, string] {
  const middle = Math.ceil(text.length / 2);
  return [text.slice(0, middle), text.slice(middle)];
}
