import { execFileSync, spawnSync } from 'node:child_process';

/** Why tests that need a C compiler are skipped; false if there is one. */
export const noCompiler: string | false =
  spawnSync('gcc', ['--version']).status === 0 ? false : 'gcc and libc6-dev are not installed';

/** Compiles one file of C11, without a warning, to the program `target`. */
export function compile(source: string, target: string): void {
  const strict = ['-std=c11', '-O2', '-Wall', '-Wextra', '-Werror'];
  execFileSync('gcc', [...strict, '-o', target, source], { stdio: 'inherit' });
}
