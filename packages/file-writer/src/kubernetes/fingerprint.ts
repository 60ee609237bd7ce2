import { createHash } from 'node:crypto';
import { Allowance } from '../content.ts';
import type { Collection, KubernetesObject } from './api.ts';

/** The identity of a set of objects: it changes with every object, and every change of one. */
export class Fingerprint {
  readonly #objects: Allowance;
  readonly #lines = new Map<string, string[]>();

  constructor(maxFiles: number) {
    this.#objects = new Allowance(maxFiles, 'files');
  }

  /** @throws {Failure} if there are too many objects. */
  add(collection: Collection, { metadata }: KubernetesObject): void {
    this.#take(collection, [`${metadata.uid} ${metadata.resourceVersion}`]);
  }

  /** Gives a collection the objects that another fingerprint has of it. */
  copy(collection: Collection, from: Fingerprint): void {
    const id = collectionName(collection);
    this.#lines.delete(id);
    this.#take(collection, from.#lines.get(id) ?? []);
  }

  digest(): string {
    const lines = [...this.#lines].flatMap(([id, objects]) => objects.map((one) => `${id} ${one}`));
    return createHash('sha256').update(lines.toSorted().join('\n')).digest('hex');
  }

  #take(collection: Collection, lines: readonly string[]): void {
    this.#objects.take(lines.length);
    const id = collectionName(collection);
    const known = this.#lines.get(id);
    if (known) known.push(...lines);
    else this.#lines.set(id, [...lines]);
  }
}

/** The name of a collection for people and maps: `ConfigMaps in the namespace default`. */
export function collectionName({ kind, namespace }: Collection): string {
  return `${kind}s in the namespace ${namespace}`;
}
