import { spawn } from 'node:child_process';

export interface TestRunOptions {
  readonly concurrency: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs files with Node's test runner, its report passed through, and returns its exit code. */
export function runTests(
  files: readonly string[],
  { concurrency, env }: TestRunOptions,
): Promise<number> {
  const args = [
    '--test',
    `--test-concurrency=${concurrency}`,
    '--test-reporter=spec',
    '--test-timeout=600000',
  ];
  const child = spawn(process.execPath, [...args, ...files], {
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 1));
  });
}
