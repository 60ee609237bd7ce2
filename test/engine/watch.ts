import { spawn } from 'node:child_process';
import { eventually } from '@sidekit/test-kit';
import { eachObject } from '../../scripts/support/json-objects.ts';
import type { PodStatus } from './engine.ts';

/** Waits for what is said of a session's Pods. */
export interface Watch {
  /**
   * Waits until `holds` is true of the Pods seen so far.
   * @throws Error where that takes longer than `timeout` milliseconds.
   */
  wait<T>(
    holds: (pods: readonly PodStatus[]) => T | undefined,
    limits: { readonly what: string; readonly timeout: number },
  ): Promise<T>;
  close(): void;
}

/** Asks again and again, where nothing reports changes. */
export function pollingWatch(pods: () => Promise<PodStatus[]>): Watch {
  return {
    wait: (holds, limits) =>
      eventually(async () => holds(await pods()), { ...limits, interval: 100 }) as Promise<never>,
    close: () => {},
  };
}

/**
 * The Pods of a session as a `get pods -w -o json` reports them: one process that tells each
 * change, instead of one process a look.
 */
export class PodWatch implements Watch {
  readonly #child: ReturnType<typeof spawn>;
  readonly #pods = new Map<string, PodStatus>();
  readonly #waiters = new Set<() => void>();
  #over: Error | undefined;

  constructor(program: string, args: readonly string[], env: NodeJS.ProcessEnv) {
    const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'ignore'] });
    this.#child = child;
    eachObject<PodStatus>(child.stdout, (pod) => {
      this.#pods.set(pod.metadata.name, pod);
      for (const wake of this.#waiters) wake();
    });
    child.once('error', (error) => this.#end(error));
    child.once('close', (code) => this.#end(new Error(`the watch of Pods ended with ${code}`)));
  }

  wait<T>(
    holds: (pods: readonly PodStatus[]) => T | undefined,
    { what, timeout }: { readonly what: string; readonly timeout: number },
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => {
        clearTimeout(timer);
        this.#waiters.delete(look);
        act();
      };
      const look = () => {
        const found = holds([...this.#pods.values()]);
        if (found !== undefined) return settle(() => resolve(found));
        const error = this.#over;
        if (error) settle(() => reject(new Error(`${error.message} before ${what}`)));
      };
      const timer = setTimeout(
        () => settle(() => reject(new Error(`not within ${timeout} ms: ${what}`))),
        timeout,
      );
      this.#waiters.add(look);
      look();
    });
  }

  close(): void {
    this.#child.kill('SIGKILL');
  }

  #end(error: Error) {
    this.#over ??= error;
    for (const wake of this.#waiters) wake();
  }
}
