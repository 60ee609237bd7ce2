import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { eventually } from '@sidekit/test-kit';
import {
  type ApplyOptions,
  type ExecResult,
  findPod,
  type HttpInit,
  type HttpResult,
  hasEnded,
  isReady,
  type PodStatus,
  type Session,
} from './engine.ts';
import type { Watch } from './watch.ts';

/** The part that all engines share: waiting for conditions, and evidence if they do not come. */
export abstract class BaseSession implements Session {
  readonly #manifest: string;
  readonly #keepEvidence: boolean;
  #watch: Watch | undefined;
  /** Names of Pods that exist by these names: a bare Pod never gets another one. */
  readonly #bare = new Set<string>();

  constructor(manifest: string, { keepEvidence = true }: ApplyOptions) {
    this.#manifest = manifest;
    this.#keepEvidence = keepEvidence;
  }

  abstract pods(): Promise<PodStatus[]>;
  abstract allLogs(name: string): Promise<string>;
  abstract http(name: string, port: number, path: string, init?: HttpInit): Promise<HttpResult>;
  abstract exec(name: string, container: string, argv: readonly string[]): Promise<ExecResult>;
  abstract reapply(text: string): Promise<void>;
  abstract remove(name: string): Promise<void>;
  /** Logs, events and status of everything, for a failure's message. */
  abstract evidence(): Promise<string>;
  abstract delete(): Promise<void>;
  /** Reads what a container has written so far: a log comes a little after its event. */
  protected abstract readLog(name: string, container: string): Promise<string>;
  /** Reports all changes of its Pods from now on. */
  abstract watch(): Watch;

  async [Symbol.asyncDispose](): Promise<void> {
    this.#watch?.close();
    try {
      if (this.#keepEvidence) await this.#keep();
    } finally {
      await this.delete();
    }
  }

  /** Keeps the evidence in dist/evidence, since a test that failed cannot be asked later. */
  async #keep() {
    const directory = join('dist', 'evidence', process.env.POD_ENGINE ?? 'podman');
    const evidence = await this.evidence().catch(({ message }) => `no evidence: ${message}`);
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, `${basename(this.#manifest, '.yaml')}.txt`), evidence);
  }

  async status(name: string): Promise<PodStatus> {
    const pods = await this.pods();
    const found = findPod(pods, name);
    if (found) return found;
    const names = pods.map(({ metadata }) => metadata.name);
    throw new Error(`no Pod ${name} among ${names.join(', ') || 'none'}`);
  }

  /** The full name of the Pod that `name` means. */
  protected async podName(name: string): Promise<string> {
    if (this.#bare.has(name)) return name;
    const { metadata } = await this.status(name);
    if (metadata.name === name) this.#bare.add(name);
    return metadata.name;
  }

  async logged(name: string, container: string, found: RegExp, timeout = 120_000): Promise<string> {
    const matching = async () => {
      const log = await this.readLog(name, container);
      return found.test(log) ? log : undefined;
    };
    const what = `${found} in the log of ${container} of ${name}`;
    try {
      return await eventually(matching, { what, timeout, interval: 250 });
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${await this.evidence()}`, { cause: error });
    }
  }

  async finalLog(name: string, container: string): Promise<string> {
    const { status } = await this.status(name);
    const all = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
    const ended = all.find((one) => one.name === container)?.state.terminated;
    if (!ended) throw new Error(`${container} of ${name} has not ended: wait for its log`);
    return this.readLog(name, container);
  }

  ready(name: string, timeout?: number): Promise<PodStatus> {
    return this.when(name, 'is Ready', isReady, timeout);
  }

  completed(name: string, timeout?: number): Promise<PodStatus> {
    return this.when(name, 'has ended', hasEnded, timeout);
  }

  async when(
    name: string,
    what: string,
    holds: (pod: PodStatus) => boolean,
    timeout = 180_000,
  ): Promise<PodStatus> {
    this.#watch ??= this.watch();
    const seen = (pods: readonly PodStatus[]) => {
      const pod = findPod(pods, name);
      return pod && holds(pod) ? pod : undefined;
    };
    try {
      return await this.#watch.wait(seen, { what: `Pod ${name} ${what}`, timeout });
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${await this.evidence()}`, { cause: error });
    }
  }
}

export async function request(
  base: string,
  path: string,
  init: HttpInit = {},
): Promise<HttpResult> {
  const response = await fetch(new URL(path, base), {
    ...init,
    redirect: 'manual',
    signal: AbortSignal.timeout(30_000),
  });
  return { status: response.status, headers: response.headers, body: await response.text() };
}
