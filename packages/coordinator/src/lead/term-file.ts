import { unlink } from 'node:fs/promises';
import { errorText, type Log, pause, type Warning, writeFileAtomic } from '@sidekit/core';
import type { Term } from './elector.ts';

/** The file with the token of the current term; there is none while this replica does not lead. */
export class TermFile {
  readonly #path: string | undefined;
  readonly #warning: Warning;
  readonly #log: Log;

  constructor(path: string | undefined, warning: Warning, log: Log) {
    this.#path = path;
    this.#warning = warning;
    this.#log = log;
  }

  /** Writes the token, again until that works. @returns false if the term ended before. */
  async write({ token, over, holds }: Term): Promise<boolean> {
    if (this.#path !== undefined) {
      while (holds()) {
        if (await this.#tried('written', (path) => writeFileAtomic(path, `${token}\n`))) break;
        await pause(1000, over);
      }
    }
    return holds();
  }

  /** Removes the file, also one that a crash has left. */
  async remove(): Promise<void> {
    await this.#tried('removed', async (path) => {
      await unlink(path).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error;
      });
    });
  }

  async #tried(what: string, act: (path: string) => Promise<void>): Promise<boolean> {
    if (this.#path === undefined) return true;
    try {
      await act(this.#path);
      this.#warning.clear();
      return true;
    } catch (error) {
      const reason = `${this.#path} was not ${what}: ${errorText(error)}`;
      this.#warning.set(reason);
      this.#log.error('the token file is wrong', { event: 'token_file_failed', error: reason });
      return false;
    }
  }
}
