import { ExpectedError, errorText, pause } from '@sidekit/core/tool';
import type { EngineApi } from './api.ts';
import { readFrames } from './frames.ts';
import { type ExecState, isOverdue, PATIENCE } from './overdue.ts';

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

/** The exit codes and words of runtimes for a program that does not exist or cannot be executed. */
const NOT_STARTED = /^(OCI runtime exec failed|Error: .*OCI runtime)/;

/**
 * Runs a command in a container over the engine's API. After `timeout` the command is killed, with
 * the processes that it started, if `seesProcesses`: the engine's process IDs are those of this machine.
 * @throws {ExpectedError} if the engine could not start it: which is no verdict on the command.
 */
export async function exec(
  api: EngineApi,
  root: string,
  request: ExecRequest,
  seesProcesses = false,
): Promise<ExecResult> {
  const { container, argv, limit } = request;
  const body = { AttachStdout: true, AttachStderr: true, Cmd: argv };
  const { Id: id } = await api.call('POST', `${root}/containers/${container}/exec`, { body });
  const look = async (): Promise<ExecState> => {
    const state: ExecState = await api.call('GET', `${root}/exec/${id}/json`);
    return seesProcesses ? state : { ...state, Pid: 0 };
  };
  const stream = await api.open('POST', `${root}/exec/${id}/start`, {
    body: { Detach: false, Tty: false },
  });
  const output = readFrames(stream, limit);
  output.catch(() => {});
  const command = { output, state: look, leave: () => stream.destroy() };
  const late = await isOverdue(command, request.timeout);
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
