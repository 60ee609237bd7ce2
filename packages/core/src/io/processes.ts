import { open, readdir } from 'node:fs/promises';
import { constants } from 'node:os';
import { basename } from 'node:path';
import { ExpectedError } from '../errors.ts';

/** A process, told apart from a later one with the same PID by its start time. */
export interface ProcessIdentity {
  /** Above 1. */
  readonly pid: number;
  /** In clock ticks after boot (proc_pid_stat(5), field 22). */
  readonly startTime: string;
  readonly uid: number;
}

/** More than /proc/PID/stat, status or a usual command line needs; the rest is not read. */
const READ_LIMIT = 4096;

/** Reads a signal's name, with or without SIG, in any case: `HUP`. Undefined if there is none. */
export function parseSignal(text: string): NodeJS.Signals | undefined {
  const name = `SIG${text.toUpperCase().replace(/^SIG/, '')}`;
  return Object.hasOwn(constants.signals, name) ? (name as NodeJS.Signals) : undefined;
}

/**
 * Finds processes by name: the command name of the kernel (the first 15 bytes of it), or the base
 * name of the program as it was started. PID 1 and this process are never among them, and neither
 * are the workers of a match: of a server that forks, only the master is found.
 */
export async function findProcesses(name: string): Promise<ProcessIdentity[]> {
  const found = new Map<number, ProcessIdentity & { readonly parent: number }>();
  for (const entry of await readdir('/proc')) {
    const pid = Number(entry);
    if (!(pid > 1) || pid === process.pid) continue;
    const stat = await readStat(pid);
    if (stat && (await isNamed(stat, name))) {
      found.set(pid, stat);
    }
  }
  return [...found.values()]
    .filter(({ parent }) => !found.has(parent))
    .map(({ pid, startTime, uid }) => ({ pid, startTime, uid }));
}

export interface SignalOptions {
  /** Signals every match; by default several are an error. */
  readonly all?: boolean;
  /**
   * The processes that got the signal already: they are left out, and those that get it now are
   * added. For a new try after some failed.
   */
  readonly reached?: Set<string>;
}

/**
 * Sends a signal to the process of a name in this PID namespace: that of the Pod with
 * `shareProcessNamespace: true`. Owner and start time are compared again right before. One that
 * cannot be signalled does not keep the others from it.
 * @returns the processes that got it.
 * @throws {ExpectedError} with the remedy if none or several match, or with all reasons if one or
 *   more of them ended or belong to another user.
 */
export async function signalByName(
  name: string,
  signal: NodeJS.Signals,
  { all = false, reached = new Set() }: SignalOptions = {},
): Promise<ProcessIdentity[]> {
  const found = await findProcesses(name);
  if (found.length === 0) {
    throw new ExpectedError(
      `no process is named ${name}: set shareProcessNamespace: true in the Pod, and give the name that ps shows`,
    );
  }
  if (found.length > 1 && !all) {
    throw new ExpectedError(
      `${found.length} processes are named ${name} (PIDs ${found.map(({ pid }) => pid).join(', ')}): give a name that only one has, or signal all of them`,
    );
  }
  const signalled: ProcessIdentity[] = [];
  const problems: string[] = [];
  for (const identity of found) {
    const id = `${identity.pid} ${identity.startTime}`;
    if (reached.has(id)) continue;
    const problem = await trySignal(identity, signal);
    if (problem !== undefined) {
      problems.push(problem);
      continue;
    }
    reached.add(id);
    signalled.push(identity);
  }
  if (problems.length > 0) throw new ExpectedError(problems.join('; '));
  return signalled;
}

/** Sends a signal to one process. Returns the reason if it did not get it. */
async function trySignal(
  identity: ProcessIdentity,
  signal: NodeJS.Signals,
): Promise<string | undefined> {
  try {
    if (await sendSignal(identity, signal)) return undefined;
    return `process ${identity.pid} ended before it got ${signal}: try again`;
  } catch (error) {
    if (error instanceof ExpectedError) return error.message;
    throw error;
  }
}

/**
 * Sends a signal to one process. Returns false if it has ended, also if another has its PID now.
 * @throws {ExpectedError} if it belongs to another user (EPERM of kill(2)).
 */
export async function sendSignal(
  { pid, startTime, uid }: ProcessIdentity,
  signal: NodeJS.Signals,
): Promise<boolean> {
  const now = await readStat(pid);
  if (now?.startTime !== startTime || now.uid !== uid) return false;
  try {
    process.kill(pid, signal);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ESRCH') return false;
    if (code !== 'EPERM') throw error;
    throw new ExpectedError(
      `process ${pid} belongs to user ${uid}, and this is user ${process.getuid?.()} (EPERM): give both containers the same runAsUser`,
    );
  }
}

/** Command, parent, start time and owner of a process; undefined if it is gone or a zombie. */
async function readStat(pid: number) {
  const text = await readStart(`/proc/${pid}/stat`);
  // The command may hold anything, also spaces and parentheses: the last one ends it.
  const match = /^\d+ \((.*)\) (\S) (\d+) (.*)$/s.exec(text);
  const [, command = '', state = '', parent = '', rest = ''] = match ?? [];
  const uid = /^Uid:\s+(\d+)/m.exec(await readStart(`/proc/${pid}/status`))?.[1];
  if (!match || uid === undefined || state === 'Z' || state === 'X') return undefined;
  const startTime = rest.split(' ')[17] ?? '';
  return { pid, command, parent: Number(parent), startTime, uid: Number(uid) };
}

/** Whether a process has a name; of the kernel's name only its first bytes are compared. */
async function isNamed(
  { pid, command }: { readonly pid: number; readonly command: string },
  name: string,
): Promise<boolean> {
  const short = comm(name);
  if (command === name) return true;
  const words = (await readStart(`/proc/${pid}/cmdline`)).split('\0');
  if (basename(words[0] ?? '') === name) return true;
  // Names that only differ behind those bytes are distinguished by the command line: that of the
  // program, of a script that an interpreter runs, or a title such as `name: master process`.
  if (short === name || command !== short) return false;
  return words.some((word) => basename(word.split(/[: ]/, 1)[0] ?? '') === name);
}

/** A command name holds at most 15 bytes (TASK_COMM_LEN less its NUL). */
function comm(name: string): string {
  return Buffer.from(name).subarray(0, 15).toString();
}

/** The first bytes of a file; empty if it cannot be read. */
async function readStart(path: string): Promise<string> {
  try {
    await using file = await open(path);
    const { bytesRead, buffer } = await file.read(Buffer.alloc(READ_LIMIT), 0, READ_LIMIT, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } catch {
    return '';
  }
}
