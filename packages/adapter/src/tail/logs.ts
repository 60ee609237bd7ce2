import { dirname } from 'node:path';
import type { SavedGeneration } from '../state/state-file.ts';
import { Generation } from './generation.ts';

/** One log as its writer sees it: a live path and its generations, oldest first. */
export interface TailedLog {
  readonly path: string;
  readonly generations: Generation[];
}

/** The number of finished generations of a log whose content is remembered. */
const REMEMBERED = 4;

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
      this.#restored.add(one.log);
      if (generation.finished) continue;
      const earlier = this.#byInode.get(one.inode);
      if (earlier && BigInt(earlier.birth) > generation.birth) {
        // The inode was reused: this generation's file is gone.
        generation.detached = true;
        generation.missingSince = now;
        continue;
      }
      if (earlier) {
        // The file was truncated, and its copy, if there is one, was not found yet.
        earlier.detached = true;
        earlier.missingSince = now;
      }
      this.#byInode.set(one.inode, generation);
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

  /** Returns the generations of the logs of a directory, and those whose files were moved there. */
  inDirectory(directory: string): Generation[] {
    const found: Generation[] = [];
    for (const log of this.byPath.values()) {
      const own = dirname(log.path) === directory;
      for (const one of log.generations) {
        if (!one.finished && (own || dirname(one.path) === directory)) found.push(one);
      }
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

  /**
   * Forgets a generation, except how to recognise its content: a compressed copy of it may appear,
   * or still be there after a restart. The log is forgotten with its last file.
   */
  forget(generation: Generation): void {
    generation.close();
    this.release(generation);
    const log = this.byPath.get(generation.log);
    if (!log) return;
    const delivered = generation.isDelivered && !generation.saved;
    generation.finished = true;
    const finished = log.generations.filter((one) => one.finished);
    const drop = new Set(delivered ? finished.slice(0, -REMEMBERED) : [generation]);
    if (finished.length === log.generations.length) this.byPath.delete(log.path);
    const kept = log.generations.filter((one) => !drop.has(one));
    log.generations.splice(0, log.generations.length, ...kept);
  }
}
