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

const ROUNDS = 4;

/** All valid combinations. */
export function rotationCases(): RotationCase[] {
  const cases: RotationCase[] = [];
  for (const method of ['create', 'nocreate', 'copytruncate', 'copy', 'renamecopy']) {
    for (const date of [[], ['dateext', 'dateformat -%Y%m%d-%s']]) {
      for (const extension of [[], ['extension .log']]) {
        for (const compress of [[], ['compress'], ['compress', 'delaycompress']]) {
          for (const olddir of [[], ['olddir old']]) {
            for (const mode of ['up', 'down', 'dead output'] as const) {
              for (const glob of [false, true]) {
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
  readonly #live: string;
  readonly #written: string[] = [];
  #adapter: HandDriven;

  constructor(one: RotationCase, directory: string, receiver: Receiver, clock: { now: number }) {
    this.#case = one;
    this.#directory = directory;
    this.#receiver = receiver;
    this.#clock = clock;
    this.#live = join(directory, 'logs/app.log');
    mkdirSync(join(directory, 'logs/old'), { recursive: true });
    chmodSync(join(directory, 'logs'), 0o755);
    receiver.down = one.mode === 'dead output';
    this.#adapter = this.#start();
  }

  get section(): string {
    const { directives } = this.#case;
    const lines = ['su root root', 'rotate 99', ...directives].map((line) => `  ${line}\n`);
    return `${this.#live} {\n${lines.join('')}}\n`;
  }

  async beforeRotation(round: number): Promise<void> {
    this.#write(`${round} read`);
    await this.#read();
    if (this.#case.mode === 'down') await this.#adapter.crash();
    this.#write(`${round} unread`);
  }

  async afterRotation(round: number): Promise<void> {
    this.#write(`${round} after`);
    if (this.#case.mode === 'down') this.#adapter = this.#start();
    await this.#read();
  }

  /** Lets everything arrive; returns what is wrong. */
  async verdict(): Promise<string | undefined> {
    this.#receiver.down = false;
    for (let i = 0; i < 4; i++) {
      await this.#adapter.settle();
      this.#clock.now += 10_000;
    }
    await this.#adapter.stop();
    const counts = new Map<unknown, number>();
    for (const { message } of this.#receiver.records) {
      counts.set(message, (counts.get(message) ?? 0) + 1);
    }
    const lost = this.#written.filter((line) => !counts.has(line));
    const { directives, mode, glob } = this.#case;
    // A copy made while the adapter was down, under a name that the glob matches too, whose original
    // has grown since: it may as well be the log of another program that began alike, and is read.
    const has = (directive: string) => directives.includes(directive);
    const isMatched =
      glob &&
      has('extension .log') &&
      !has('olddir old') &&
      has('compress') === has('delaycompress');
    const isAmbiguous = mode === 'down' && isMatched && has('copy');
    const twice = isAmbiguous ? [] : [...counts].filter(([, count]) => count > 1);
    if (lost.length + twice.length === 0) return undefined;
    return `${mode}, ${glob ? '*.log' : 'app.log'}, ${directives.join(' ')}: lost ${lost.length} (${lost[0]}), twice ${twice.length} (${twice[0]?.[0]})`;
  }

  #start(): HandDriven {
    const { glob, directives } = this.#case;
    return new HandDriven(
      this.#directory,
      {
        include: [glob ? this.#live.replace('app', '*') : this.#live],
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
      appendFileSync(this.#live, `${line}\n`);
    }
  }

  async #read(): Promise<void> {
    if (this.#case.mode === 'dead output') await this.#adapter.poll();
    else await this.#adapter.settle();
  }
}

/** Runs cases side by side through the rotations of one logrotate; returns all that is wrong. */
export async function rotate(cases: readonly RotationCase[], directory: string): Promise<string[]> {
  await using stack = new AsyncDisposableStack();
  const logs: { log: RotatedLog; clock: { now: number } }[] = [];
  for (const [i, one] of cases.entries()) {
    const receiver = stack.use(await Receiver.start());
    const own = join(directory, String(i));
    mkdirSync(own);
    const clock = { now: Date.now() };
    logs.push({ log: new RotatedLog(one, own, receiver, clock), clock });
  }
  const config = join(directory, 'logrotate.conf');
  writeFileSync(config, logs.map(({ log }) => log.section).join(''), { mode: 0o644 });
  for (let round = 0; round < ROUNDS; round++) {
    for (const { log } of logs) await log.beforeRotation(round);
    const second = Math.floor(Date.now() / 1000);
    // Names with a date have seconds.
    await eventually(() => Math.floor(Date.now() / 1000) > second, { what: 'the next second' });
    execFileSync('logrotate', ['-f', '-s', join(directory, 'status'), config], { stdio: 'pipe' });
    for (const { log, clock } of logs) {
      clock.now = Math.max(clock.now, Date.now());
      await log.afterRotation(round);
    }
  }
  const faults: string[] = [];
  for (const { log } of logs) {
    const fault = await log.verdict();
    if (fault !== undefined) faults.push(fault);
  }
  return faults;
}

/** Whether logrotate is installed. */
export function hasLogrotate(): boolean {
  return statSync('/usr/sbin/logrotate', { throwIfNoEntry: false }) !== undefined;
}
