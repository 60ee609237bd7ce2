import { createHash } from 'node:crypto';
import { type Environment, kubernetesServer, UsageError } from '@sidekit/core';
import { Allowance, type TreeEntry } from '../content.ts';
import { readOptionFile } from '../http/credentials.ts';
import {
  type Collection,
  type Kind,
  KubernetesApi,
  type KubernetesObject,
} from '../kubernetes/api.ts';
import { ObjectEntries } from '../kubernetes/entries.ts';
import { watchCollection } from '../kubernetes/watch.ts';
import type { Source } from './source.ts';

export interface KubernetesSourceOptions {
  readonly kinds: readonly Kind[];
  readonly selector: string;
  readonly namespace: readonly string[] | undefined;
  readonly folderAnnotation: string;
  readonly serviceAccount: string;
  readonly idleTimeout: number;
  readonly maxFiles: number;
}

/**
 * Mirrors the ConfigMaps and Secrets that match a label selector, each key as a file, all as one
 * version. A poll compares the metadata; the content is listed only after a change.
 * @throws {UsageError} outside a cluster.
 */
export function kubernetesSource(
  options: KubernetesSourceOptions,
  environment: Environment,
): Source {
  const { kinds, selector, serviceAccount, maxFiles } = options;
  const api = new KubernetesApi({ ...options, server: serverOf(environment) });
  let published: string | undefined;

  const collections = async (): Promise<Collection[]> => {
    const namespaces = options.namespace ?? [await ownNamespace(serviceAccount)];
    return namespaces.flatMap((namespace) => kinds.map((kind) => ({ kind, namespace, selector })));
  };

  return {
    poll: async ({ signal, fresh }) => {
      const all = await collections();
      const found = new Fingerprint(maxFiles);
      for (const collection of all) {
        for await (const object of api.list(collection, 'metadata', signal)) {
          found.add(collection, object);
        }
      }
      if (!fresh && found.digest() === published) return undefined;
      const files = new ObjectEntries(options.folderAnnotation);
      const seen = new Fingerprint(maxFiles);
      async function* entries(): AsyncGenerator<TreeEntry> {
        for (const collection of all) {
          for await (const object of api.list(collection, 'all', signal)) {
            seen.add(collection, object);
            yield* files.of(collection.kind, object);
          }
        }
      }
      return {
        kind: 'tree',
        entries: entries(),
        warnings: () => files.warnings,
        published: () => {
          published = seen.digest();
        },
      };
    },
    watch: async (changed, signal) => {
      const all = await collections();
      await Promise.all(all.map((one) => watchCollection(api, one, changed, signal)));
    },
  };
}

/** The identity of a set of objects: it changes with every object, and every change of one. */
class Fingerprint {
  readonly #objects: Allowance;
  readonly #lines: string[] = [];

  constructor(maxFiles: number) {
    this.#objects = new Allowance(maxFiles, 'files');
  }

  add({ kind, namespace }: Collection, { metadata }: KubernetesObject): void {
    this.#objects.take(1);
    this.#lines.push([kind, namespace, metadata.uid, metadata.resourceVersion].join(' '));
  }

  digest(): string {
    return createHash('sha256').update(this.#lines.toSorted().join('\n')).digest('hex');
  }
}

function serverOf(environment: Environment): string {
  const server = kubernetesServer(environment);
  if (server !== undefined) return server;
  throw new UsageError([
    {
      name: '--source',
      value: 'kubernetes',
      rule: 'needs KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT',
      remedy: 'run it in a cluster',
    },
  ]);
}

async function ownNamespace(serviceAccount: string): Promise<string> {
  const path = `${serviceAccount}/namespace`;
  const remedy = 'set automountServiceAccountToken: true in the Pod, or give --namespace';
  return (await readOptionFile('--service-account', path, remedy)).trim();
}
