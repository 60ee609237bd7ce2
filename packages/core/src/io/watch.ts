import { type FSWatcher, statSync, watch } from 'node:fs';
import { errorText } from '../errors.ts';
import type { Log } from '../observe/log.ts';

export interface WatchOptions {
  /** Directories whose changes wake the poll early. */
  readonly directories: readonly string[];
  /** The longest time between two polls, in milliseconds: the guarantee. */
  readonly interval: number;
  /**
   * Checks the watched state; never called while it still runs. Its errors are logged. A poll that
   * itself changes a watched directory wakes itself: watch a directory that it only reads.
   */
  readonly poll: () => Promise<void> | void;
  readonly log: Log;
}

/**
 * Polls at an interval, and at once after a hint of inotify. Hints alone lose events silently
 * (the kernel's queue holds 16,384, and libuv drops the overflow mark), and instances are
 * limited per user: without them it goes on by polling, and says so once.
 */
export class PollingWatch {
  readonly #options: WatchOptions;
  readonly #watchers = new Map<string, { readonly inode: number; readonly watcher: FSWatcher }>();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  #isRunning = false;
  #again = false;
  #closed = false;
  #warned = false;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#watchAll();
    this.wake();
  }

  /** Polls now, or once more after the poll that is running. Resolves when that is done. */
  wake(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    if (this.#isRunning) {
      this.#again = true;
      return this.#running;
    }
    clearTimeout(this.#timer);
    this.#isRunning = true;
    this.#running = this.#run();
    return this.#running;
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const { watcher } of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
    await this.#running;
  }

  async #run(): Promise<void> {
    do {
      this.#again = false;
      this.#watchAll();
      try {
        await this.#options.poll();
      } catch (error) {
        this.#options.log.error('a poll failed', { error: errorText(error) });
      }
    } while (this.#again && !this.#closed);
    // In the same turn as the last check of `#again`: a later wake polls again.
    this.#isRunning = false;
    if (this.#closed) return;
    this.#timer = setTimeout(() => this.wake(), this.#options.interval);
  }

  /** Watches the directories that exist by now, also those that were removed and recreated. */
  #watchAll() {
    for (const directory of this.#options.directories) {
      const inode = inodeOf(directory);
      const known = this.#watchers.get(directory);
      if (known && known.inode === inode) continue;
      known?.watcher.close();
      this.#watchers.delete(directory);
      if (inode === undefined) continue;
      try {
        const watcher = watch(directory, () => void this.wake());
        watcher.on('error', () => {
          watcher.close();
          if (this.#watchers.get(directory)?.watcher === watcher) this.#watchers.delete(directory);
        });
        this.#watchers.set(directory, { inode, watcher });
      } catch (error) {
        if (this.#warned) continue;
        this.#warned = true;
        this.#options.log.warn('watching by inotify is not possible, polling only', {
          directory,
          interval: this.#options.interval,
          error: errorText(error),
        });
      }
    }
  }
}

/** The inode of a directory; undefined if it does not exist or cannot be reached. */
function inodeOf(directory: string): number | undefined {
  try {
    return statSync(directory, { throwIfNoEntry: false })?.ino;
  } catch {
    return undefined;
  }
}
