import { dirname } from 'node:path';
import type { SavedGeneration } from '../state/state-file.ts';
import { Generation } from './generation.ts';

/** One log as its writer sees it: a live name, and the generations behind it, oldest first. */
export interface TailedLog {
  readonly path: string;
  readonly generations: Generation[];
}

/** The logs that are followed, and which generation each inode is. */
export class Logs {
  readonly byPath = new Map<string, TailedLog>();
  readonly #byInode = new Map<string, Generation>();
  readonly #restored = new Set<string>();

  /** Takes over what the state file knew, oldest first. */
  restore(saved: readonly SavedGeneration[], now: number): void {
    for (const one of saved) {
      const generation = Generation.restore(one, now);
      this.of(one.log).generations.push(generation);
      const earlier = this.#byInode.get(one.inode);
      if (earlier) {
        // It was truncated before the end, and its copy, if there is one, was not found yet.
        earlier.detached = true;
        earlier.missingSince = now;
      }
      this.#byInode.set(one.inode, generation);
      this.#restored.add(one.log);
    }
  }

  /** Whether the state file knew of the log. */
  wasRestored(path: string): boolean {
    return this.#restored.has(path);
  }

  /** The log with this live path; made where it is new. */
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

  /** The generation that an inode is at present. */
  withInode(inode: string): Generation | undefined {
    return this.#byInode.get(inode);
  }

  /** From now on the inode is this generation's. */
  claim(generation: Generation): void {
    this.#byInode.set(generation.inode, generation);
  }

  /** The inode is this generation's no more. */
  release(generation: Generation, inode: string = generation.inode): void {
    if (this.#byInode.get(inode) === generation) this.#byInode.delete(inode);
  }

  /** Forgets a generation, and its log with the last one. */
  forget(generation: Generation): void {
    generation.close();
    this.release(generation);
    const log = this.byPath.get(generation.log);
    const index = log?.generations.indexOf(generation) ?? -1;
    if (index >= 0) log?.generations.splice(index, 1);
    if (log?.generations.length === 0) this.byPath.delete(log.path);
  }
}
