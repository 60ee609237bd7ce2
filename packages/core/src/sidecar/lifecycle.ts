import { errorText } from '../errors.ts';
import type { Log } from '../observe/log.ts';

/**
 * The steps of the stop, run in reverse order, each step after the one before, all
 * within one grace period.
 */
export class Lifecycle {
  readonly #steps: { readonly name: string; readonly stop: () => unknown }[] = [];
  readonly #stopping = new AbortController();
  readonly #log: Log;
  #outcome: Promise<boolean> | undefined;

  /** Resolves when the stop begins. */
  readonly stopped: Promise<void>;

  constructor(log: Log) {
    this.#log = log;
    this.stopped = new Promise((resolve) => {
      this.#stopping.signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  /** Aborts when the stop begins: stop taking new work. */
  get stopping(): AbortSignal {
    return this.#stopping.signal;
  }

  /**
   * Adds what undoes a thing just started: it drains first, and closes then. What is added
   * while the stop runs, by a start that it overtook, is undone too.
   */
  onStop(name: string, stop: () => unknown): void {
    this.#steps.push({ name, stop });
  }

  /**
   * Stops everything; further calls wait for the first.
   * @returns whether all steps ended well within `gracePeriod` milliseconds.
   */
  stop(gracePeriod: number): Promise<boolean> {
    this.#outcome ??= this.#stop(gracePeriod);
    return this.#outcome;
  }

  async #stop(gracePeriod: number): Promise<boolean> {
    this.#stopping.abort();
    let good = true;
    let current = '';
    const undo = async () => {
      for (let step = this.#steps.pop(); step; step = this.#steps.pop()) {
        const { name, stop } = step;
        current = name;
        try {
          await stop();
        } catch (error) {
          good = false;
          this.#log.error('a stop step failed', { step: name, error: errorText(error) });
        }
      }
    };
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(resolve, gracePeriod, 'late');
    });
    const outcome = await Promise.race([undo(), late]);
    clearTimeout(timer);
    if (outcome !== 'late') return good;
    this.#log.error('the grace period ended before the stop did', { step: current, gracePeriod });
    return false;
  }
}
