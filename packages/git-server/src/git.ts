import { type ChildProcess, spawn } from 'node:child_process';
import { ExpectedError } from '@sidekit/core';

/** Runs git's commands in one place, without any configuration from outside. */
export class Git {
  readonly #env: NodeJS.ProcessEnv;

  /** @param libraries where git and its libraries are, if they are not installed. */
  constructor(path: string, libraries: string | undefined, home: string) {
    this.#env = {
      PATH: path,
      HOME: home,
      GIT_CONFIG_NOSYSTEM: '1',
      ...(libraries ? { LD_LIBRARY_PATH: libraries, GIT_EXEC_PATH: libraries } : {}),
    };
  }

  start(args: readonly string[], protocol = ''): ChildProcess {
    return spawn('git', args, {
      env: { ...this.#env, ...(protocol ? { GIT_PROTOCOL: protocol } : {}) },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
  }

  /** Runs a command to its end. @throws {ExpectedError} with what it said where it fails. */
  run(args: readonly string[], input: string | Uint8Array = ''): Promise<void> {
    return new Promise((resolve, reject) => {
      const child = this.start(args);
      let said = '';
      child.stderr?.setEncoding('utf8').on('data', (text) => (said += text));
      child.stdout?.resume();
      child.stdin?.on('error', () => {});
      child.stdin?.end(input);
      child.once('error', (error) =>
        reject(new ExpectedError(`git cannot be run (${error.message}): install it`)),
      );
      child.once('close', (code) => {
        if (code === 0) resolve();
        else reject(new ExpectedError(`git ${args.join(' ')} ended with ${code}: ${said.trim()}`));
      });
    });
  }
}
