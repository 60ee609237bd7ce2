import { spawn } from 'node:child_process';
import { childEnvironment, ExpectedError } from '@sidekit/core/tool';

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  /** Ends the command with SIGKILL after so many milliseconds; its code is then 124. */
  readonly timeout?: number;
  readonly input?: Buffer;
  /** Variables of the command in addition to those of this process. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** The most that is kept of a command's output, in characters. */
const OUTPUT_LIMIT = 16 * 1024 * 1024;

/** Runs a program without a shell. Any exit code resolves; only a program that cannot run rejects. */
export function command(
  program: string,
  args: readonly string[],
  { timeout, input, environment }: CommandOptions = {},
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: [input ? 'pipe' : 'ignore', 'pipe', 'pipe'],
      ...(environment ? { env: childEnvironment(environment) } : {}),
    });
    let stdout = '';
    let stderr = '';
    let late = false;
    const timer =
      timeout !== undefined && Number.isFinite(timeout)
        ? setTimeout(() => {
            late = true;
            child.kill('SIGKILL');
          }, timeout)
        : undefined;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      if (stdout.length < OUTPUT_LIMIT) stdout += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      if (stderr.length < OUTPUT_LIMIT) stderr += text;
    });
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
    child.once('error', (error) => {
      clearTimeout(timer);
      reject(new ExpectedError(`${program} cannot be run: ${error.message}`));
    });
    child.once('close', (code) => {
      clearTimeout(timer);
      resolve({ code: late ? 124 : (code ?? 137), stdout, stderr });
    });
  });
}
