import { spawn } from 'node:child_process';

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Lets the output through instead of keeping it. */
  readonly show?: boolean;
  /** Keeps a terminal's Ctrl-C from it: for what must be done to its end. */
  readonly detached?: boolean;
  /** Adds what was written to stderr to the result. */
  readonly stderr?: boolean;
  /** Ends it by SIGTERM after so many milliseconds, which is a failure whatever its exit code is. */
  readonly timeout?: number;
}

/** A command that failed, with what it printed. */
export class CommandError extends Error {
  readonly code: number | null;

  constructor(command: string, code: number | null, output: string) {
    super(
      `${command} ended with ${code}${output ? `:\n${output.trim().split('\n').slice(-40).join('\n')}` : ''}`,
    );
    this.code = code;
  }
}

/** Runs a command without a shell and returns its stdout. @throws {CommandError} */
export function run(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const { cwd, env, show, detached = false, timeout } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: show ? 'inherit' : ['ignore', 'pipe', 'pipe'],
      ...(cwd === undefined ? {} : { cwd }),
      detached,
      ...(timeout === undefined ? {} : { timeout }),
      env: { ...process.env, ...env },
    });
    let stdout = '';
    let stderr = '';
    child.stdout?.setEncoding('utf8').on('data', (text) => (stdout += text));
    child.stderr?.setEncoding('utf8').on('data', (text) => (stderr += text));
    child.once('error', reject);
    child.once('close', (code, signal) => {
      // Podman exits with 0 when its pull is ended by a signal.
      const late = child.killed ? `it was ended after ${timeout} ms\n` : '';
      if (code === 0 && !late) resolve(options.stderr ? stdout + stderr : stdout);
      else
        reject(
          new CommandError(
            `${command} ${args[0] ?? ''}`,
            code ?? signalCode(signal),
            late + stderr + stdout,
          ),
        );
    });
  });
}

/** Whether a command runs and exits 0. */
export async function succeeds(command: string, args: readonly string[]): Promise<boolean> {
  return run(command, args).then(
    () => true,
    () => false,
  );
}

function signalCode(signal: NodeJS.Signals | null): number | null {
  return signal === 'SIGINT' ? 130 : signal === 'SIGTERM' ? 143 : null;
}
