import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { eachObject } from '../json-objects.ts';

export interface ContainerStatus {
  readonly name: string;
  readonly containerID: string;
  readonly restartCount: number;
  readonly lastState?: { readonly terminated?: { readonly containerID?: string } };
}

/** The parts of a Pod that are read. */
export interface PodObject {
  readonly metadata: { readonly name: string };
  readonly status: {
    readonly podIP?: string;
    readonly containerStatuses?: readonly ContainerStatus[];
    readonly initContainerStatuses?: readonly ContainerStatus[];
  };
}

/** The Pods of the runner as `pod ps -w` reports them: one process instead of one for each question. */
export class PodWatch implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;
  readonly #pods = new Map<string, PodObject>();

  constructor(env: NodeJS.ProcessEnv) {
    const child = spawn('node_modules/.bin/pod', ['ps', '-o', 'json', '-w'], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
      // A terminal's Ctrl-C must not end it before the Pods.
      detached: true,
    });
    this.#child = child;
    this.#closed = once(child, 'close').catch(() => {});
    eachObject<PodObject>(child.stdout, (pod) => this.#pods.set(pod.metadata.name, pod));
  }

  /** The Pod of that name, or one that the workload of that name made. @throws Error if there is none. */
  pod(name: string): PodObject {
    const found =
      this.#pods.get(name) ??
      [...this.#pods.values()].findLast(({ metadata }) => metadata.name.startsWith(`${name}-`));
    if (!found) throw new Error(`no Pod ${name}`);
    return found;
  }

  /** @throws Error if the Pod or the container is not there. */
  container(pod: string, name: string): ContainerStatus {
    const { containerStatuses = [], initContainerStatuses = [] } = this.pod(pod).status;
    const found = [...containerStatuses, ...initContainerStatuses].find((one) => one.name === name);
    if (!found) throw new Error(`no container ${name} in Pod ${pod}`);
    return found;
  }

  /** Leaves out a Pod that was removed. */
  forget(name: string): void {
    this.#pods.delete(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGTERM');
    await this.#closed;
  }
}
