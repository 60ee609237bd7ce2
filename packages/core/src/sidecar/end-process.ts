import { constants } from 'node:os';

/** Requests that occupy a thread of libuv's pool, by their names in getActiveResourcesInfo. */
const BLOCKING = /^(FSReq|GetAddrInfo|GetNameInfo)/;

/**
 * Ends the process with `code`, whatever is still pending. `process.exit` waits for the threads
 * of libuv's pool, and one of them may be blocked for good: in open(2) of a FIFO without a
 * writer, or in a file system that does not answer. Only execve(2) ends the threads and still
 * returns an exit code, so in this case Node replaces itself with a program that exits.
 */
export function endProcess(code: number): never {
  if (process.execve && process.getActiveResourcesInfo().some((name) => BLOCKING.test(name))) {
    process.emit('exit', code);
    try {
      process.execve(process.execPath, [process.execPath, '-e', `process.exit(${code})`], {});
    } catch {
      // Node is gone from the disk: leave it to process.exit.
    }
  }
  process.exit(code);
}

/** The exit code of a process that a signal ended, as a shell reports it: 128 + its number. */
export function signalExitCode(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal];
}
