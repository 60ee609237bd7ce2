import { spawn } from 'node:child_process';

export interface Outcome {
  readonly code: number | null;
  /** Stdout and stderr together, in the order of writing. */
  readonly output: string;
}

/** Runs a shell block in the clone, as a reader would paste it; the first failure ends it. */
export function runOnHost(
  script: string,
  env: Readonly<Record<string, string>>,
  timeout: number,
): Promise<Outcome> {
  const child = spawn('bash', ['-euo', 'pipefail', '-c', `exec 2>&1\n${script}`], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, NO_COLOR: '1', ...env },
    detached: true,
  });
  // The whole group: what the block started must not outlive it.
  const timer = setTimeout(() => child.pid && process.kill(-child.pid, 'SIGKILL'), timeout);
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (output += text));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      clearTimeout(timer);
      resolve({ code, output });
    });
  });
}
