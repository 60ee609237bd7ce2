import type { TreeEntry } from '../content.ts';
import type { Kind, KubernetesObject } from './api.ts';

/** A key of a ConfigMap or Secret (apimachinery, IsConfigMapKey). */
const KEY = /^(?!\.\.?$)(?!\.\.)[-._a-zA-Z0-9]{1,253}$/;
/** One directory of a folder; no hidden ones, and none that shells or URLs would trip over. */
const SEGMENT = /^(?!\.)[-._ a-zA-Z0-9]{1,253}$/;

/** A file of an object. */
export interface ObjectFile {
  /** The object, for messages. */
  readonly id: string;
  readonly key: string;
  readonly path: string;
  readonly secret: boolean;
}

/**
 * Converts objects into files: each key is one, in the folder that an annotation names. An object
 * with an invalid folder or key, or a file that another object has already, is left out with a
 * warning: it must not affect the others.
 */
export class ObjectEntries {
  readonly #annotation: string;
  readonly #owners = new Map<string, string>();
  readonly #folders = new Set<string>();
  readonly warnings: string[] = [];

  constructor(annotation: string) {
    this.#annotation = annotation;
  }

  *of(kind: Kind, object: KubernetesObject): Generator<ObjectFile & TreeEntry> {
    const { name, namespace, annotations } = object.metadata;
    const id = `${kind} ${namespace}/${name}`;
    const folder = annotations?.[this.#annotation] ?? '';
    const segments = folder.split('/').filter((one) => one !== '');
    if (folder.startsWith('/') || !segments.every((one) => SEGMENT.test(one))) {
      this.#warn(
        `${id}: the folder ${JSON.stringify(folder)} is not a relative path of plain names: correct the annotation ${this.#annotation}`,
      );
      return;
    }
    const text = kind === 'Secret' ? {} : (object.data ?? {});
    const encoded = kind === 'Secret' ? (object.data ?? {}) : (object.binaryData ?? {});
    for (const key of [...Object.keys(text), ...Object.keys(encoded)].toSorted()) {
      const path = [...segments, key].join('/');
      if (!this.#claim(id, key, segments, path)) continue;
      const content = Object.hasOwn(text, key)
        ? Buffer.from(text[key] ?? '')
        : Buffer.from(encoded[key] ?? '', 'base64');
      yield { id, key, path, chunks: [content], secret: kind === 'Secret' };
    }
  }

  /** Keeps files of an earlier version, as far as no other object has them now. */
  kept(files: readonly ObjectFile[]): ObjectFile[] {
    return files.filter(({ id, key, path }) =>
      this.#claim(id, key, path.split('/').slice(0, -1), path),
    );
  }

  #claim(id: string, key: string, segments: readonly string[], path: string): boolean {
    if (!KEY.test(key)) {
      this.#warn(`${id}: the key ${JSON.stringify(key)} is not a file name`);
      return false;
    }
    const parents = segments.map((_, i) => segments.slice(0, i + 1).join('/'));
    const taken = [path, ...parents].find((one) => this.#owners.has(one));
    const owner = taken === undefined ? undefined : this.#owners.get(taken);
    if (owner !== undefined || this.#folders.has(path)) {
      this.#warn(
        `${id}: ${path} belongs to ${owner ?? 'a folder of another object'}: rename the key, or give it another folder`,
      );
      return false;
    }
    this.#owners.set(path, id);
    for (const parent of parents) this.#folders.add(parent);
    return true;
  }

  #warn(text: string): void {
    if (this.warnings.length < 20) this.warnings.push(text);
  }
}
