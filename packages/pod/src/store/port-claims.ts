import { mkdirSync, readdirSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive } from './temporary.ts';

/**
 * Claims ports of 127.0.0.1 for one command until the records of its Pods name them. A claim is a
 * symbolic link, since that is created for one process alone and needs no room on a full disk; it
 * says which process claims the port and what for.
 */
export class PortClaims implements Disposable {
  readonly #folder: string;
  readonly #own: string[] = [];

  /** @param folder is created if it is missing. */
  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }

  /** @returns false if the port is claimed for another use; two commands may start one Service. */
  claim(port: number, use: string): boolean {
    const path = join(this.#folder, String(port));
    try {
      symlinkSync(`${process.pid} ${use}`, path);
      this.#own.push(path);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      return read(path)?.use === use;
    }
  }

  [Symbol.dispose](): void {
    for (const path of this.#own) rmSync(path, { force: true });
  }

  /** Removes the claims of commands that were killed. */
  static removeLeftovers(folder: string): void {
    for (const path of list(folder)) {
      const claim = read(path);
      if (claim && !isAlive(claim.pid)) rmSync(path, { force: true });
    }
  }
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder).map((name) => join(folder, name));
  } catch {
    return [];
  }
}

/** Returns undefined for a claim that is gone. */
function read(path: string): { readonly pid: number; readonly use: string } | undefined {
  try {
    const text = readlinkSync(path);
    const space = text.indexOf(' ');
    return { pid: Number(text.slice(0, space)), use: text.slice(space + 1) };
  } catch {
    return undefined;
  }
}
