import { ExpectedError, LONGEST_TIMER } from '@sidekit/core/tool';
import { elapsed, killTree } from './processes.ts';

/** The longest time that an engine may take to start a command, or to report its end, in ms. */
export const PATIENCE = 30_000;
/** The pause between two checks of a command that has not begun, or has ended, in milliseconds. */
const CHECK = 50;
/** The least that a command whose process cannot be seen here is given more, in milliseconds. */
const UNSEEN = 1000;

/** The state of a command in a container, named as in Docker's API. */
export interface ExecState {
  readonly Running: boolean;
  readonly ExitCode: number | null;
  /** Its process on this machine; 0 if it has not started, or cannot be seen. */
  readonly Pid: number;
  /** How long its own program has run, in milliseconds; undefined if only its process is known. */
  readonly Ran?: number;
}

/** A command that is waited for. */
export interface Command {
  readonly output: Promise<unknown>;
  readonly state: () => ExecState | Promise<ExecState>;
  /** Stops waiting for its output. */
  readonly leave: () => void;
}

/**
 * Waits for the end of a command's output. Only the command's own time counts: a loaded engine
 * starts it late, and reports its end late.
 * @param timeout in milliseconds.
 * @returns true if the command was killed for its time.
 * @throws {ExpectedError} if the engine neither starts the command nor reports its end.
 */
export async function isOverdue(
  { output, state, leave }: Command,
  timeout: number,
): Promise<boolean> {
  const begin = performance.now();
  for (let wait = Math.min(timeout, LONGEST_TIMER); ; ) {
    if (!(await isLater(output, wait))) return false;
    const now = await state();
    const overdue = performance.now() - begin - timeout;
    if (!now.Running && overdue > PATIENCE) {
      leave();
      const what = now.Pid === 0 ? 'has not started' : 'does not report the end of';
      throw new ExpectedError(`the engine ${what} the command in ${PATIENCE / 1000} s`);
    }
    const left = timeLeft(now, timeout, overdue);
    wait = Math.min(Math.max(left, 0), LONGEST_TIMER);
    if (wait > 0) continue;
    if (now.Pid > 0) killTree(now.Pid);
    leave();
    return true;
  }
}

/** Returns how long to wait before a command is checked again, in ms; at most 0 if its time is over. */
function timeLeft({ Running, Pid, Ran }: ExecState, timeout: number, overdue: number): number {
  if (!Running) return CHECK;
  const ran = Pid > 0 ? elapsed(Pid) : undefined;
  if (ran !== undefined) return timeout - (Ran ?? ran);
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
