import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { Interruption } from './interruption.ts';

export interface TestRunOptions {
  readonly concurrency: number;
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * How long a run may take, in milliseconds; the long form has no limit. A test's own limit does not
 * end its process, so without this one a test that hangs would take all the time of CI.
 */
export const LIMIT = process.env.SIDEKIT_LONG === '1' ? undefined : 30 * 60_000;

/**
 * Each test file, `pod` and the programs under test are processes that load the same modules: with
 * their types stripped and compiled once, most of their start is saved.
 */
const COMPILED = resolve('node_modules/.cache/compiled');

/**
 * Runs files with Node's test runner, its report passed through, and returns its exit code. At the
 * time limit, at Ctrl-C and at SIGTERM the runner is stopped, and says what it was running.
 * @returns the runner's exit code, 130 or 143 after a signal, or 64 if there are no files.
 */
export async function runTests(
  files: readonly string[],
  { concurrency, env }: TestRunOptions,
): Promise<number> {
  // Without files Node would look for tests of its own choice.
  if (files.length === 0) {
    console.error('no test file has such a name');
    return 64;
  }
  using interruption = new Interruption();
  const child = spawn(process.execPath, testArguments(files, concurrency), {
    stdio: 'inherit',
    ...(LIMIT === undefined ? {} : { timeout: LIMIT }),
    env: { ...process.env, NODE_COMPILE_CACHE: COMPILED, ...env },
  });
  const ended = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 1));
  });
  return interruption.exitCode ?? ended;
}

/** The arguments of Node for these test files. */
export function testArguments(files: readonly string[], concurrency: number): string[] {
  return [
    '--test',
    `--test-concurrency=${concurrency}`,
    '--test-reporter=spec',
    '--test-timeout=600000',
    ...files,
  ];
}
