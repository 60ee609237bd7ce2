import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually } from './eventually.ts';

export interface ProcessOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Written to stdin, which is then closed; without it stdin stays open as a pipe. */
  readonly input?: string;
  readonly uid?: number;
  readonly gid?: number;
}

/** A real process under test: its output so far, its end, and waiting for either. */
export class TestProcess implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  stdout = '';
  stderr = '';

  constructor(command: string, args: readonly string[], options: ProcessOptions = {}) {
    const { env, cwd, input, uid, gid } = options;
    this.child = spawn(command, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...inherited(options), ...env },
      ...(cwd === undefined ? {} : { cwd }),
      ...(uid === undefined ? {} : { uid }),
      ...(gid === undefined ? {} : { gid }),
    });
    this.child.stdout?.setEncoding('utf8').on('data', (text) => (this.stdout += text));
    this.child.stderr?.setEncoding('utf8').on('data', (text) => (this.stderr += text));
    this.child.stdin?.on('error', () => {});
    if (input !== undefined) this.child.stdin?.end(input);
    this.exited = new Promise((resolve) => {
      this.child.once('error', (error) => {
        this.stderr += `${error}\n`;
        resolve({ code: null, signal: null });
      });
      this.child.once('close', (code, signal) => resolve({ code, signal }));
    });
  }

  /** The log records on stderr so far; lines that are not JSON are left out. */
  get log(): Record<string, unknown>[] {
    return this.stderr.split('\n').flatMap((line) => {
      try {
        return [JSON.parse(line)];
      } catch {
        return [];
      }
    });
  }

  /** Waits for a log record with this `event`. */
  event(name: string, timeout?: number): Promise<Record<string, unknown>> {
    return this.#record('event', name, timeout);
  }

  /** Waits for a log record with this message; prefer `event`. */
  logged(msg: string, timeout?: number): Promise<Record<string, unknown>> {
    return this.#record('msg', msg, timeout);
  }

  async #record(field: string, value: string, timeout = 120_000): Promise<Record<string, unknown>> {
    let ended = false;
    void this.exited.then(() => {
      ended = true;
    });
    const find = () => this.log.find((record) => record[field] === value);
    const found = await eventually(() => find() ?? ended, {
      what: `log record with ${field} "${value}"`,
      timeout,
    }).catch((error) => {
      throw new Error(`${error.message} in ${this.stderr}`);
    });
    if (typeof found === 'object') return found;
    throw new Error(`ended without a log record with ${field} "${value}": ${this.stderr}`);
  }

  kill(signal: NodeJS.Signals = 'SIGTERM'): void {
    this.child.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.kill('SIGKILL');
    await this.exited;
  }
}

/** The search path; and the cache of compiled modules, unless another user could not write there. */
function inherited({ uid }: ProcessOptions): NodeJS.ProcessEnv {
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  return uid === undefined && NODE_COMPILE_CACHE !== undefined
    ? { PATH, NODE_COMPILE_CACHE }
    : { PATH };
}

/** Starts a sidecar: its bundle if there is one, otherwise from source, as `npx` does in a clone. */
export function startProgram(
  main: string | URL,
  args: readonly string[],
  options?: ProcessOptions,
): TestProcess {
  return new TestProcess(process.execPath, [programFile(main), ...args], options);
}

/**
 * Returns the file that Node runs for a sidecar whose `main.ts` is given: its bundle, as its image
 * has it, if this run made bundles (SIDEKIT_PROGRAMS, their folder), which start in half the
 * time; otherwise the source.
 * @throws Error if that folder is gone: tests would silently start something else.
 */
export function programFile(main: string | URL): string {
  const source = main instanceof URL ? fileURLToPath(main) : main;
  const { SIDEKIT_PROGRAMS: folder } = process.env;
  const [, name] = /\bpackages\/([\w-]+)\/src\/main\.ts$/.exec(source) ?? [];
  if (folder === undefined || name === undefined) return source;
  if (!existsSync(folder)) throw new Error(`SIDEKIT_PROGRAMS ${folder} does not exist: unset it`);
  const bundle = join(folder, name, 'main.cjs');
  return existsSync(bundle) ? bundle : source;
}

/**
 * The environment of a Node program whose wall clock runs at `rate` times the real speed, from the
 * present time on; backwards if it is negative. Durations are to be measured by another clock.
 */
export function wallClockAt(rate: number): Record<'NODE_OPTIONS', string> {
  const program = `const start = Date.now();
    Date.now = () => Math.round(start + ${rate} * performance.now());`;
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(program)}` };
}
