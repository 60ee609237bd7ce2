import { execFileSync } from 'node:child_process';
import { appendFileSync, chmodSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '@sidekit/test-kit';
import { HandDriven } from './hand-driven.ts';
import { Receiver } from './receiver.ts';

/** One combination of logrotate's options and of the adapter's fate while it rotates. */
export interface RotationCase {
  /** Directives of logrotate. */
  readonly directives: readonly string[];
  readonly mode: 'up' | 'down' | 'dead output';
  /** Whether the glob also matches the rotated files. */
  readonly glob: boolean;
}

/** The lines of a case that were written, lost and doubled. */
export interface RotationResult {
  readonly case: RotationCase;
  readonly written: readonly string[];
  readonly lost: readonly string[];
  readonly twice: readonly string[];
  /**
   * Whether duplicates are no fault: a copy that was made while the adapter was down, under a name
   * that the glob matches too, and whose original has grown since, may as well be the log of another
   * program that began alike, and is read.
   */
  readonly isAmbiguous: boolean;
}

/** Another reader of the same logs, to compare with. */
export interface RotationPeer {
  start(logs: readonly { readonly live: string; readonly case: RotationCase }[]): Promise<void>;
  /** Ends the reader of the logs whose reader is down meanwhile, as SIGKILL does. */
  down(): Promise<void>;
  up(): Promise<void>;
  /** Waits until it has read what was written, as far as it does. */
  read(): Promise<void>;
  /** Ends it; returns the lines that arrived of each log. */
  finish(): Promise<readonly string[][]>;
}

const ROUNDS = 4;

/** Formats of dates, of which the combinations take one after the other. */
const DATES = [
  '-%Y%m%d-%s',
  '_%d.%m.%Y-%s',
  '%s',
  '-%Y-%m-%d-%H-%s',
  '%Y%m%d%s',
  '-%m-%d-%Y-%s',
  '.%s',
];

/** All valid combinations. */
export function rotationCases(): RotationCase[] {
  const cases: RotationCase[] = [];
  for (const method of ['create', 'nocreate', 'copytruncate', 'copy', 'renamecopy']) {
    for (const dated of [false, true]) {
      for (const extension of [[], ['extension .log']]) {
        for (const compress of [[], ['compress'], ['compress', 'delaycompress']]) {
          for (const olddir of [[], ['olddir old']]) {
            for (const mode of ['up', 'down', 'dead output'] as const) {
              for (const glob of [false, true]) {
                const format = DATES[cases.length % DATES.length];
                const date = dated ? ['dateext', `dateformat ${format}`] : [];
                const directives = [method, ...date, ...extension, ...compress, ...olddir];
                cases.push({ directives, mode, glob });
              }
            }
          }
        }
      }
    }
  }
  return cases;
}

/** A log that is rotated by the real logrotate, an adapter, and what arrived. */
class RotatedLog {
  readonly #case: RotationCase;
  readonly #directory: string;
  readonly #receiver: Receiver;
  readonly #clock: { now: number };
  readonly live: string;
  readonly #written: string[] = [];
  #adapter: HandDriven;

  constructor(one: RotationCase, directory: string, receiver: Receiver, clock: { now: number }) {
    this.#case = one;
    this.#directory = directory;
    this.#receiver = receiver;
    this.#clock = clock;
    this.live = join(directory, 'logs/app.log');
    mkdirSync(join(directory, 'logs/old'), { recursive: true });
    chmodSync(join(directory, 'logs'), 0o755);
    receiver.down = one.mode === 'dead output';
    this.#adapter = this.#start();
  }

  get section(): string {
    const { directives } = this.#case;
    const lines = ['su root root', 'rotate 99', ...directives].map((line) => `  ${line}\n`);
    return `${this.live} {\n${lines.join('')}}\n`;
  }

  /** Writes what is read before the rotation. */
  async writeBefore(round: number): Promise<void> {
    this.#write(`${round} read`);
    await this.#read();
  }

  async beforeRotation(round: number): Promise<void> {
    if (this.#case.mode === 'down') await this.#adapter.crash();
    this.#write(`${round} unread`);
  }

  async afterRotation(round: number): Promise<void> {
    this.#write(`${round} after`);
    if (this.#case.mode === 'down') this.#adapter = this.#start();
    await this.#read();
  }

  /** Lets everything arrive. */
  async result(): Promise<RotationResult> {
    this.#receiver.down = false;
    for (let i = 0; i < 4; i++) {
      await this.#adapter.settle();
      this.#clock.now += 10_000;
    }
    await this.#adapter.stop();
    return this.resultOf(this.#receiver.records.map(({ message }) => String(message)));
  }

  resultOf(arrived: readonly string[]): RotationResult {
    const counts = new Map<string, number>();
    for (const message of arrived) counts.set(message, (counts.get(message) ?? 0) + 1);
    const { directives, mode, glob } = this.#case;
    const has = (directive: string) => directives.includes(directive);
    const isMatched =
      glob &&
      has('extension .log') &&
      !has('olddir old') &&
      has('compress') === has('delaycompress');
    return {
      case: this.#case,
      written: this.#written,
      lost: this.#written.filter((line) => !counts.has(line)),
      twice: this.#written.filter((line) => (counts.get(line) ?? 0) > 1),
      isAmbiguous: mode === 'down' && isMatched && has('copy'),
    };
  }

  #start(): HandDriven {
    const { glob, directives } = this.#case;
    return new HandDriven(
      this.#directory,
      {
        include: [glob ? this.live.replace('app', '*') : this.live],
        output: [this.#receiver.url],
        batchBytes: 1024,
        bufferBytes: 4096,
        ...(directives.includes('olddir old') ? { rotatedDir: ['old'] } : {}),
      },
      this.#clock,
    );
  }

  #write(what: string): void {
    for (let i = 0; i < 40; i++) {
      const line = `round ${what} line ${i} ${'x'.repeat(i)}`;
      this.#written.push(line);
      appendFileSync(this.live, `${line}\n`);
    }
  }

  async #read(): Promise<void> {
    if (this.#case.mode === 'dead output') await this.#adapter.poll();
    else await this.#adapter.settle();
  }
}

/** Says what is wrong with a result; undefined if nothing is. */
export function faultOf(result: RotationResult): string | undefined {
  const { lost, isAmbiguous } = result;
  const twice = isAmbiguous ? [] : result.twice;
  if (lost.length + twice.length === 0) return undefined;
  const { directives, mode, glob } = result.case;
  return `${mode}, ${glob ? '*.log' : 'app.log'}, ${directives.join(' ')}: lost ${lost.length} (${lost[0]}), twice ${twice.length} (${twice[0]})`;
}

/** Runs cases side by side through the rotations of one logrotate, for the adapter and a peer. */
export async function rotate(
  cases: readonly RotationCase[],
  directory: string,
  peer?: RotationPeer,
): Promise<{ readonly adapter: RotationResult[]; readonly peer: RotationResult[] }> {
  await using stack = new AsyncDisposableStack();
  const logs: { log: RotatedLog; clock: { now: number } }[] = [];
  for (const [i, one] of cases.entries()) {
    const receiver = stack.use(await Receiver.start());
    const own = join(directory, String(i));
    mkdirSync(own);
    const clock = { now: Date.now() };
    logs.push({ log: new RotatedLog(one, own, receiver, clock), clock });
  }
  await peer?.start(logs.map(({ log }, i) => ({ live: log.live, case: cases[i]! })));
  const config = join(directory, 'logrotate.conf');
  writeFileSync(config, logs.map(({ log }) => log.section).join(''), { mode: 0o644 });
  for (let round = 0; round < ROUNDS; round++) {
    for (const { log } of logs) await log.writeBefore(round);
    await peer?.read();
    await peer?.down();
    for (const { log } of logs) await log.beforeRotation(round);
    const second = Math.floor(Date.now() / 1000);
    // Names with a date have seconds.
    await eventually(() => Math.floor(Date.now() / 1000) > second, { what: 'the next second' });
    execFileSync('logrotate', ['-f', '-s', join(directory, 'status'), config], { stdio: 'pipe' });
    await peer?.up();
    for (const { log, clock } of logs) {
      clock.now = Math.max(clock.now, Date.now());
      await log.afterRotation(round);
    }
    await peer?.read();
  }
  const results: RotationResult[] = [];
  for (const { log } of logs) results.push(await log.result());
  const arrived = (await peer?.finish()) ?? [];
  return {
    adapter: results,
    peer: arrived.map((lines, i) => logs[i]!.log.resultOf(lines)),
  };
}

/** Whether logrotate is installed. */
export function hasLogrotate(): boolean {
  return statSync('/usr/sbin/logrotate', { throwIfNoEntry: false }) !== undefined;
}
