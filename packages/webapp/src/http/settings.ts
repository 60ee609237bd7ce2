import { readFileSync } from 'node:fs';
import { ExpectedError, errorText } from '@sidekit/core';

/**
 * The settings of an application that reads its file at the start and at SIGHUP only, as nginx and
 * many others do.
 */
export class Settings {
  readonly #path: string | undefined;
  #text = '';
  #loads = 0;

  /** @throws {ExpectedError} if the file cannot be read. */
  constructor(path: string | undefined) {
    this.#path = path;
    this.load();
  }

  get text(): string {
    return this.#text;
  }

  /** How often the file was read. */
  get loads(): number {
    return this.#loads;
  }

  /** @throws {ExpectedError} if the file cannot be read; the settings stay as they are. */
  load(): void {
    if (this.#path === undefined) return;
    try {
      this.#text = readFileSync(this.#path, 'utf8');
      this.#loads++;
    } catch (error) {
      throw new ExpectedError(`--settings ${this.#path} cannot be read (${errorText(error)})`);
    }
  }
}
