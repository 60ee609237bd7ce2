import { isEnding } from '../../engine/processes.ts';
import type { HandlerOutcome, HandlerTarget } from './handler.ts';

/** The most that is read of a command's output, in bytes (kubelet: maxReadLength). */
const OUTPUT = 10 * 1024;
/** The most of it that a message shows, in characters. */
const SHOWN = 200;

/** Late commands that may still run, by container and command. */
const LATE = new Map<string, () => Promise<boolean>>();

/**
 * Runs a command in the container: exit code 0 is success, another one and a timeout are failures.
 * @throws {ExpectedError} if the engine could not start it.
 */
export async function execute(
  argv: readonly string[],
  target: HandlerTarget,
  timeout: number,
): Promise<HandlerOutcome> {
  const { engine, id } = target;
  const key = [id, ...argv].join('\0');
  const late: HandlerOutcome = {
    result: 'failure',
    message: `command timed out: ${argv.join(' ')} after ${timeout / 1000}s`,
  };
  // One that could not be killed is not joined by another: they would pile up.
  if (await LATE.get(key)?.()) return late;
  LATE.delete(key);
  const result = await engine.exec({ container: id, argv, timeout, limit: OUTPUT });
  if (result.type === 'timeout') {
    LATE.set(key, result.running);
    return late;
  }
  const { code, output } = result;
  if (code === 0) return { result: 'success' };
  // The kernel kills the commands in a container that exits: then its exit counts, not this.
  if (code > 128 && (await hasEnded(target))) {
    return { result: 'error', message: 'the container has ended' };
  }
  const text = output.trim();
  const shown = text.length > SHOWN ? `${text.slice(0, SHOWN - 3)}...` : text;
  return { result: 'failure', message: `command exited with ${code}${shown ? `: ${shown}` : ''}` };
}

/** Whether a container has ended or is ending, though its event may not have arrived. */
export async function hasEnded({ engine, id }: HandlerTarget): Promise<boolean> {
  const info = await engine.inspect(id);
  return !info?.running || (info.pid > 0 && isEnding(info.pid) === true);
}
