import { joinedLines } from './joined-lines.ts';
import type { Receiver } from './receiver.ts';
import { type Line, WrittenLog } from './written-log.ts';

/** An event of a log or its reader. */
export type Step =
  | { readonly kind: 'write'; readonly lines: number }
  | { readonly kind: 'part' }
  | { readonly kind: 'rename' | 'shift' | 'copytruncate' }
  | { readonly kind: 'truncate' | 'delete' | 'recreate' }
  | { readonly kind: 'poll' | 'settle' | 'wait' | 'down' | 'up' | 'stop' | 'kill' };

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
  ...(['poll', 'settle', 'wait', 'down', 'up', 'stop', 'kill'] as const),
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
  /** Starts an adapter that follows `live`. */
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
  readonly #clock = { now: 1_795_000_000_000 };
  readonly #faults: string[] = [];
  #adapter: Subject;
  #ended = false;
  #deliveredWhenSettled = new Map<string, number>();

  constructor(directory: string, setting: Setting, sameHead: boolean, first: number) {
    this.#directory = directory;
    this.#setting = setting;
    this.#log = new WrittenLog(directory, sameHead, first, () => this.#clock.now++);
    this.#adapter = this.#start();
  }

  async run(step: Step): Promise<void> {
    const { receiver } = this.#setting;
    const log = this.#log;
    switch (step.kind) {
      case 'write':
        for (let i = 0; i < step.lines; i++) log.write();
        break;
      case 'recreate':
        log.delete();
        log.write();
        break;
      case 'poll':
        log.opened = (await this.#adapter.poll()) && log.exists;
        break;
      case 'settle':
        receiver.down = false;
        await this.#settle();
        break;
      case 'wait':
        this.#clock.now += 6_000;
        break;
      case 'down':
        receiver.down = true;
        break;
      case 'up':
        receiver.down = false;
        break;
      case 'stop':
        receiver.down = false;
        await this.#adapter.stop();
        this.#adapter = this.#start();
        log.opened = false;
        break;
      case 'kill':
        await this.#adapter.crash();
        log.readerDied();
        this.#adapter = this.#start();
        break;
      default:
        log[step.kind]();
    }
  }

  /** Ends the log and the adapter; returns all faults. */
  async verdict(): Promise<string[]> {
    this.#log.endLine();
    this.#setting.receiver.down = false;
    for (let i = 0; i < 4; i++) {
      await this.#settle();
      this.#clock.now += 70_000;
    }
    await this.#adapter.stop();
    this.#ended = true;
    return [...this.#faults, ...this.#missing(), ...this.#disorder()];
  }

  /** Ends the adapter if the verdict did not. */
  async end(): Promise<void> {
    if (!this.#ended) await this.#adapter.crash();
  }

  #start(): Subject {
    return this.#setting.start(this.#directory, this.#log.path, this.#clock);
  }

  async #settle(): Promise<void> {
    await this.#adapter.settle(() => {
      const counts = this.#counts();
      return this.#log.due().every(({ text }) => counts.has(text));
    });
    this.#log.opened = this.#setting.exact && this.#log.exists;
    const delivered = this.#counts();
    for (const line of this.#log.inLive) this.#mustBeThere(line, delivered);
    for (const line of this.#log.due()) {
      if (!delivered.has(line.text)) this.#faults.push(`not delivered when settled: ${line.text}`);
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
    for (const text of joinedLines(this.#setting.receiver.records)) {
      counts.set(text, (counts.get(text) ?? 0) + 1);
    }
    return counts;
  }

  #missing(): string[] {
    const counts = this.#counts();
    const faults = this.#log.lines
      .filter(({ text, excused }) => !excused && !counts.has(text))
      .map(({ text }) => `lost: ${text}`);
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
    for (const { 'file.id': id, offset } of this.#setting.receiver.records) {
      const key = `${String(id)} ${String(offset)}`;
      if (seen.has(key)) continue;
      seen.add(key);
      if (Number(offset) < (furthest.get(id) ?? 0)) faults.push(`out of order: ${key}`);
      furthest.set(id, Number(offset));
    }
    return faults;
  }
}
