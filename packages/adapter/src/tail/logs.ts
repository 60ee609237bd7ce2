import { dirname } from 'node:path';
import type { SavedGeneration } from '../state/state-file.ts';
import { Generation } from './generation.ts';

/** One log as its writer sees it: a live path and its generations, oldest first. */
export interface TailedLog {
  readonly path: string;
  readonly generations: Generation[];
}

/** The logs that are followed, and the generation of each inode. */
export class Logs {
  readonly byPath = new Map<string, TailedLog>();
  readonly #byInode = new Map<string, Generation>();
  readonly #restored = new Set<string>();

  /** Restores the saved generations, oldest first. */
  restore(saved: readonly SavedGeneration[], now: number, outputs: readonly string[]): void {
    for (const one of saved) {
      const generation = Generation.restore(one, now, outputs);
      this.of(one.log).generations.push(generation);
      const earlier = this.#byInode.get(one.inode);
      if (earlier) {
        // The file was truncated, and its copy, if there is one, was not found yet.
        earlier.detached = true;
        earlier.missingSince = now;
      }
      this.#byInode.set(one.inode, generation);
      this.#restored.add(one.log);
    }
  }

  /** Whether the log was in the state file. */
  wasRestored(path: string): boolean {
    return this.#restored.has(path);
  }

  /** Returns the log with this live path, created if it is new. */
  of(path: string): TailedLog {
    let log = this.byPath.get(path);
    if (!log) {
      log = { path, generations: [] };
      this.byPath.set(path, log);
    }
    return log;
  }

  *generations(): Generator<Generation> {
    for (const log of this.byPath.values()) yield* log.generations;
  }

  inDirectory(directory: string): Generation[] {
    const found: Generation[] = [];
    for (const log of this.byPath.values()) {
      if (dirname(log.path) === directory) found.push(...log.generations);
    }
    return found;
  }

  /** Returns the current generation of an inode. */
  withInode(inode: string): Generation | undefined {
    return this.#byInode.get(inode);
  }

  /** Makes a generation the current one of its inode. */
  claim(generation: Generation): void {
    this.#byInode.set(generation.inode, generation);
  }

  /** Removes a generation from its inode. */
  release(generation: Generation, inode: string = generation.inode): void {
    if (this.#byInode.get(inode) === generation) this.#byInode.delete(inode);
  }

  /** Forgets a generation, and the log with its last one. */
  forget(generation: Generation): void {
    generation.close();
    this.release(generation);
    const log = this.byPath.get(generation.log);
    const index = log?.generations.indexOf(generation) ?? -1;
    if (index >= 0) log?.generations.splice(index, 1);
    if (log?.generations.length === 0) this.byPath.delete(log.path);
  }
}
