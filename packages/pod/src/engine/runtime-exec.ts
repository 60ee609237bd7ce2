import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readlinkSync } from 'node:fs';
import { ExpectedError } from '@sidekit/core/tool';
import type { ExecRequest, ExecResult } from './exec.ts';
import { type ExecState, isOverdue } from './overdue.ts';
import { childrenOf, elapsed } from './processes.ts';
import type { Runtime } from './runtime.ts';

/** The exit code and the words of runc(8) for a command that it could not start. */
const NOT_STARTED = 255;
const FAILURE = /^time="[^"]*" level=(?:error|fatal) msg="((?:[^"\\]|\\.)*)"$/m;
/** The most that is kept of the runtime's own error, in bytes. */
const ERROR_LIMIT = 2048;
/** How often to check whether a command has begun, in milliseconds. */
const CHECK = 50;

/**
 * Runs a command in a container by its runtime, as a CRI runtime does. Podman's API costs twice as
 * much: it leaves a monitor with each command for five minutes, which then starts Podman to forget it.
 * @throws {ExpectedError} if the runtime could not start it: which is no verdict on the command.
 */
export async function runtimeExec(
  { program, environment }: Runtime,
  { container, argv, timeout, limit }: ExecRequest,
): Promise<ExecResult> {
  const child = spawn(program, ['exec', container, ...argv], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: environment,
    cwd: '/',
  });
  const ended = once(child, 'close').catch((error) => {
    throw new ExpectedError(`${program} does not start: ${error.message}`);
  });
  const output = new Beginning(limit);
  const errors = new Beginning(ERROR_LIMIT);
  child.stdout.on('data', (chunk) => output.add(chunk));
  child.stderr.on('data', (chunk) => {
    output.add(chunk);
    errors.add(chunk);
  });
  const command = new Started(child.pid ?? 0);
  const leave = () => void child.kill('SIGKILL');
  try {
    if (await isOverdue({ output: ended, state: () => command.state, leave }, timeout)) {
      return { type: 'timeout', running: async () => elapsed(command.state.Pid) !== undefined };
    }
  } finally {
    command.close();
  }
  const [code] = await ended;
  const failure = code === NOT_STARTED ? FAILURE.exec(errors.text)?.[1] : undefined;
  if (failure !== undefined) throw new ExpectedError(failure.replaceAll('\\"', '"'));
  if (code === null) throw new ExpectedError(`${program} was killed`);
  return { type: 'exited', code, output: output.text };
}

/** The first bytes of a stream; the rest is read and dropped, so that the command is not blocked. */
class Beginning {
  readonly #chunks: Buffer[] = [];
  #room: number;

  constructor(limit: number) {
    this.#room = limit;
  }

  add(chunk: Buffer) {
    if (this.#room > 0) this.#chunks.push(chunk.subarray(0, this.#room));
    this.#room -= chunk.length;
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString('utf8');
  }
}

/** The process of a command, and the time that it has had: a loaded machine prepares it for long. */
class Started {
  readonly #runtime: number;
  readonly #timer: NodeJS.Timeout;
  #pid = 0;
  /** The latest time at which it had not begun. */
  #before = performance.now();

  constructor(runtime: number) {
    this.#runtime = runtime;
    this.#timer = setInterval(() => this.#check(), CHECK);
  }

  get state(): ExecState {
    this.#check();
    const Ran = performance.now() - this.#before;
    return { Running: this.#pid > 0, ExitCode: null, Pid: this.#pid, Ran };
  }

  close() {
    clearInterval(this.#timer);
  }

  #check() {
    if (this.#pid === 0) this.#pid = commandOf(this.#runtime);
    if (this.#pid === 0) this.#before = performance.now();
    else this.close();
  }
}

/** Returns the process of the command; 0 as long as the runtime prepares it. */
function commandOf(runtime: number): number {
  const started = (pid: number) => {
    try {
      return !isRunc(readlinkSync(`/proc/${pid}/exe`));
    } catch {
      return false;
    }
  };
  return childrenOf(runtime).find(started) ?? 0;
}

/**
 * Whether a program is runc, which is its own first program in the process of a command: as its
 * file, as a copy in memory, or through a mount of the file that is detached, whose path is `/`.
 */
export function isRunc(program: string): boolean {
  return program === '/' || program.startsWith('/memfd:runc_cloned') || /\/runc$/.test(program);
}
