import type { IncomingMessage } from 'node:http';
import { ExpectedError, errorText, LONGEST_TIMER, pause } from '@sidekit/core/tool';
import type { EngineApi } from './api.ts';
import { readFrames } from './frames.ts';
import { elapsed, killTree } from './processes.ts';

/** The result of a command in a container. A command that the engine could not start throws. */
export type ExecResult =
  | { readonly type: 'exited'; readonly code: number; readonly output: string }
  | {
      readonly type: 'timeout';
      /** Returns whether the command still runs: this user may not be allowed to kill it. */
      readonly running: () => Promise<boolean>;
    };

export interface ExecRequest {
  readonly container: string;
  readonly argv: readonly string[];
  /** In milliseconds, from the start of the command in the container. */
  readonly timeout: number;
  /** The most that is kept of its output, in bytes. */
  readonly limit: number;
}

/** The longest time that an engine may take to start a command, or to report its end, in ms. */
const PATIENCE = 30_000;
/** The pause between two checks of a command that has not begun, or has ended, in milliseconds. */
const CHECK = 50;
/** The least that a command whose process cannot be seen here is given more, in milliseconds. */
const UNSEEN = 1000;
/** The exit codes and words of runtimes for a program that does not exist or cannot be executed. */
const NOT_STARTED = /^(OCI runtime exec failed|Error: .*OCI runtime)/;

interface ExecState {
  readonly Running: boolean;
  readonly ExitCode: number | null;
  readonly Pid: number;
}

/**
 * Runs a command in a container over the engine's API. After `timeout` the command is killed, with
 * the processes that it started.
 * @throws {ExpectedError} if the engine could not start it: which is no verdict on the command.
 */
export async function exec(
  api: EngineApi,
  root: string,
  request: ExecRequest,
): Promise<ExecResult> {
  const { container, argv, limit } = request;
  const body = { AttachStdout: true, AttachStderr: true, Cmd: argv };
  const { Id: id } = await api.call('POST', `${root}/containers/${container}/exec`, { body });
  const look = (): Promise<ExecState> => api.call('GET', `${root}/exec/${id}/json`);
  const stream = await api.open('POST', `${root}/exec/${id}/start`, {
    body: { Detach: false, Tty: false },
  });
  const output = readFrames(stream, limit);
  output.catch(() => {});
  const late = await timedOut(output, stream, request.timeout, look);
  if (late) return { type: 'timeout', running: () => look().then(isRunning, () => false) };
  const { text, systemError } = await output.catch((error) => {
    throw new ExpectedError(`the engine lost the command: ${errorText(error)}`);
  });
  if (systemError !== '') throw new ExpectedError(systemError);
  const code = await exitCode(look);
  if ((code === 126 || code === 127) && NOT_STARTED.test(text))
    throw new ExpectedError(text.trim());
  return { type: 'exited', code, output: text };
}

function isRunning({ Running }: ExecState): boolean {
  return Running;
}

/**
 * Waits for the end of the output. Only the command's own time counts: a loaded engine starts it late,
 * and reports its end late.
 * @returns true if the command was killed for its time.
 */
async function timedOut(
  output: Promise<unknown>,
  stream: IncomingMessage,
  timeout: number,
  look: () => Promise<ExecState>,
): Promise<boolean> {
  const begin = performance.now();
  for (let wait = Math.min(timeout, LONGEST_TIMER); ; ) {
    if (!(await isLater(output, wait))) return false;
    const state = await look();
    const overdue = performance.now() - begin - timeout;
    if (!state.Running && overdue > PATIENCE) {
      stream.destroy();
      const what = state.Pid === 0 ? 'has not started' : 'does not report the end of';
      throw new ExpectedError(`the engine ${what} the command in ${PATIENCE / 1000} s`);
    }
    const left = timeLeft(state, timeout, overdue);
    wait = Math.min(Math.max(left, 0), LONGEST_TIMER);
    if (wait > 0) continue;
    if (state.Pid > 0) killTree(state.Pid);
    stream.destroy();
    return true;
  }
}

/** Returns how long to wait before a command is checked again, in ms; at most 0 if its time is over. */
function timeLeft({ Running, Pid }: ExecState, timeout: number, overdue: number): number {
  if (!Running) return CHECK;
  const ran = Pid > 0 ? elapsed(Pid) : undefined;
  if (ran !== undefined) return timeout - ran;
  // It has ended, and its end is on its way, or it is not a process of this machine.
  return overdue < Math.max(timeout, UNSEEN) ? CHECK : 0;
}

async function isLater(promise: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(true), ms);
  });
  const done = promise.then(
    () => false,
    () => false,
  );
  const result = await Promise.race([done, late]);
  clearTimeout(timer);
  return result;
}

/** The exit code comes a moment after the end of the output. */
async function exitCode(look: () => Promise<ExecState>): Promise<number> {
  const deadline = performance.now() + PATIENCE;
  for (let wait = 5; ; wait = Math.min(wait * 2, 200)) {
    const { Running, ExitCode } = await look();
    if (!Running && ExitCode !== null) return ExitCode;
    if (performance.now() > deadline) throw new ExpectedError('the engine reports no exit code');
    await pause(wait);
  }
}
