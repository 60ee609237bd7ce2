import { type ChildProcess, spawn } from 'node:child_process';
import { ExpectedError } from '@sidekit/core';

/** Runs git without any configuration of the machine. */
export class Git {
  readonly #env: NodeJS.ProcessEnv;

  /** @param libraries the directory of git and its libraries, if they are not installed. */
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

  /** Runs a command to its end. @throws {ExpectedError} with its output if it fails. */
  run(args: readonly string[], input: string | Uint8Array = ''): Promise<void> {
    return new Promise((resolve, reject) => {
      const child = this.start(args);
      let output = '';
      child.stderr?.setEncoding('utf8').on('data', (text) => (output += text));
      child.stdout?.resume();
      child.stdin?.on('error', () => {});
      child.stdin?.end(input);
      child.once('error', (error) =>
        reject(new ExpectedError(`git cannot be run (${error.message}): install it`)),
      );
      child.once('close', (code) => {
        if (code === 0) resolve();
        else
          reject(new ExpectedError(`git ${args.join(' ')} ended with ${code}: ${output.trim()}`));
      });
    });
  }
}
