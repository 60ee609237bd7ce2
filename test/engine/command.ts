import { spawn } from 'node:child_process';
import type { ExecResult } from './engine.ts';

/** Runs a program without a shell, for at most `timeout` milliseconds. */
export function command(
  program: string,
  args: readonly string[],
  {
    input,
    timeout = 120_000,
    env,
  }: { input?: string; timeout?: number; env?: NodeJS.ProcessEnv } = {},
): Promise<ExecResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      timeout,
      // unshare ignores SIGTERM while its child runs (unshare(1)).
      killSignal: 'SIGKILL',
      ...(env ? { env } : {}),
    });
    let stdout = '';
    let stderr = '';
    child.stdout?.setEncoding('utf8').on('data', (text) => (stdout += text));
    child.stderr?.setEncoding('utf8').on('data', (text) => (stderr += text));
    child.stdin?.end(input);
    child.once('error', reject);
    child.once('close', (code) => resolve({ code: code ?? 137, stdout, stderr }));
  });
}

/** Runs a program that must succeed. @throws Error with what it printed. */
export async function must(
  program: string,
  args: readonly string[],
  options?: Parameters<typeof command>[2],
): Promise<string> {
  const { code, stdout, stderr } = await command(program, args, options);
  if (code !== 0)
    throw new Error(`${program} ${args.join(' ')} ended with ${code}:\n${stderr}${stdout}`);
  return stdout;
}
