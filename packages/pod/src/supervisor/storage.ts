import { statSync } from 'node:fs';
import type { Engine } from '../engine/engine.ts';
import { parseQuantity } from '../manifest/schema/quantity.ts';
import type { ContainerSpec, PodSpec } from '../manifest/types.ts';
import { isLimited, type Volumes } from '../volumes/volumes.ts';

/** A container of the Pod that runs. */
export interface RunningContainer {
  readonly id: string;
  readonly name: string;
}

/** The local storage of one Pod and its limits, as the kubelet's eviction manager checks them. */
export class LocalStorage {
  readonly #engine: Engine;
  readonly #spec: PodSpec;
  readonly #volumes: Volumes;
  readonly #limits: ReadonlyMap<string, string | number>;

  constructor(engine: Engine, spec: PodSpec, volumes: Volumes) {
    this.#engine = engine;
    this.#spec = spec;
    this.#volumes = volumes;
    this.#limits = new Map(
      [...spec.initContainers, ...spec.containers].flatMap(({ name, resources }) => {
        const limit = resources.limits['ephemeral-storage'];
        return limit === undefined ? [] : [[name, limit] as const];
      }),
    );
  }

  /** Whether there is anything to check. */
  get limited(): boolean {
    return this.#limits.size > 0 || this.#spec.volumes.some(isLimited);
  }

  /**
   * Returns why the Pod must be evicted, in the kubelet's words (eviction_manager.go): an emptyDir
   * over its sizeLimit, else all storage over the sum of the containers' limits, else a container,
   * with its log, over its own.
   */
  async exceeded(running: readonly RunningContainer[]): Promise<string | undefined> {
    const full = await this.#volumes.overfull();
    if (full) return `Usage of EmptyDir volume "${full.name}" exceeds the limit "${full.limit}".`;
    if (this.#limits.size === 0) return undefined;
    const used = await this.#usage(running);
    const total = podLimit(this.#spec);
    const all = [...used.values()].reduce((sum, bytes) => sum + bytes, 0);
    if (total !== undefined && all + (await this.#volumes.usage()) > total) {
      return `Pod ephemeral local storage usage exceeds the total limit of containers ${total}.`;
    }
    for (const [name, limit] of this.#limits) {
      if ((used.get(name) ?? 0) > parseQuantity(limit)) {
        return `Container ${name} exceeded its local ephemeral storage limit "${limit}".`;
      }
    }
    return undefined;
  }

  /** Bytes of each running container: what it wrote to its root, and its log. */
  async #usage(running: readonly RunningContainer[]): Promise<ReadonlyMap<string, number>> {
    const used = new Map<string, number>();
    for (const { id, name } of running) {
      const { written, log } = (await this.#engine.storage(id)) ?? { written: 0, log: '' };
      used.set(name, (used.get(name) ?? 0) + written + sizeOf(log));
    }
    return used;
  }
}

/**
 * The limit of the whole Pod (component-helpers: PodLimits): the sum of main containers and
 * sidecars, or more if an init container has more with the sidecars before it.
 * @returns undefined if no container has one.
 */
export function podLimit({ initContainers, containers }: PodSpec): number | undefined {
  const limitOf = ({ resources }: ContainerSpec) =>
    parseQuantity(resources.limits['ephemeral-storage'] ?? 0);
  const all = [...initContainers, ...containers];
  if (all.every(({ resources }) => resources.limits['ephemeral-storage'] === undefined)) {
    return undefined;
  }
  let sidecars = 0;
  let most = 0;
  for (const container of initContainers) {
    if (container.restartPolicy === 'Always') sidecars += limitOf(container);
    else most = Math.max(most, sidecars + limitOf(container));
  }
  return Math.max(most, sidecars + containers.reduce((sum, one) => sum + limitOf(one), 0));
}

/** The size of a file in bytes; 0 if this user cannot see it. */
function sizeOf(path: string): number {
  try {
    return path === '' ? 0 : statSync(path).size;
  } catch {
    return 0;
  }
}
