import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readlinkSync } from 'node:fs';
import { ExpectedError } from '@sidekit/core/tool';
import type { ExecRequest, ExecResult } from './exec.ts';
import { isOverdue } from './overdue.ts';
import { childrenOf, elapsed } from './processes.ts';
import type { Runtime } from './runtime.ts';

/** The exit code and the words of runc(8) for a command that it could not start. */
const NOT_STARTED = 255;
const FAILURE = /^time="[^"]*" level=(?:error|fatal) msg="((?:[^"\\]|\\.)*)"$/m;
/** The most that is kept of the runtime's own error, in bytes. */
const ERROR_LIMIT = 2048;

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
  let command = 0;
  const state = () => {
    command ||= commandOf(child.pid ?? 0, program);
    return { Running: command > 0, ExitCode: null, Pid: command };
  };
  const leave = () => void child.kill('SIGKILL');
  if (await isOverdue({ output: ended, state, leave }, timeout)) {
    return { type: 'timeout', running: async () => elapsed(command) !== undefined };
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

/**
 * Returns the process of the command; 0 as long as the runtime prepares it. The runtime is its own
 * first program there, often as a copy in memory.
 */
function commandOf(runtime: number, program: string): number {
  const own = [program, '/memfd:runc_cloned:/proc/self/exe (deleted)'];
  const started = (pid: number) => {
    try {
      return !own.includes(readlinkSync(`/proc/${pid}/exe`));
    } catch {
      return false;
    }
  };
  return childrenOf(runtime).find(started) ?? 0;
}
