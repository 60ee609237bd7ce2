import { constants } from 'node:fs';
import { join } from 'node:path';
import { type Environment, kubernetesServer, UsageError } from '@sidekit/core';
import type { TreeEntry } from '../content.ts';
import { Failure } from '../failure.ts';
import { readOptionFile } from '../http/credentials.ts';
import { openRegularFile } from '../io/regular-file.ts';
import { type Collection, type Kind, KubernetesApi } from '../kubernetes/api.ts';
import { ObjectEntries, type ObjectFile } from '../kubernetes/entries.ts';
import { collectionName, Fingerprint } from '../kubernetes/fingerprint.ts';
import { watchCollection } from '../kubernetes/watch.ts';
import type { Source } from './source.ts';

export interface KubernetesSourceOptions {
  readonly kinds: readonly Kind[];
  readonly selector: string;
  readonly namespace: readonly string[] | undefined;
  readonly folderAnnotation: string;
  readonly serviceAccount: string;
  readonly idleTimeout: number;
  /** For everything that a check or a list before a watch takes, in milliseconds. */
  readonly timeout: number;
  readonly maxFiles: number;
  /** The published files: those of a collection that can no longer be read stay. */
  readonly target: string;
}

/** The last published version: its objects, and the files of each collection. */
interface Version {
  readonly objects: Fingerprint;
  readonly files: ReadonlyMap<string, readonly ObjectFile[]>;
}

/**
 * Mirrors the ConfigMaps and Secrets that match a label selector, each key as a file, all as one
 * version. A poll compares the metadata; the content is listed only after a change. A collection
 * whose access is lost keeps its published files, while the others go on to be updated.
 * @throws {UsageError} outside a cluster.
 */
export function kubernetesSource(
  options: KubernetesSourceOptions,
  environment: Environment,
): Source {
  const { kinds, selector, serviceAccount, maxFiles } = options;
  const api = new KubernetesApi({ ...options, server: serverOf(environment) });
  let published: Version | undefined;
  let warnings: readonly string[] = [];

  const collections = async (): Promise<Collection[]> => {
    const namespaces = options.namespace ?? [await ownNamespace(serviceAccount)];
    return namespaces.flatMap((namespace) => kinds.map((kind) => ({ kind, namespace, selector })));
  };

  /** Lists the metadata; returns what may not be read now, with the reasons. */
  const survey = async (all: readonly Collection[], found: Fingerprint, signal: AbortSignal) => {
    const lost = new Map<Collection, string>();
    for (const collection of all) {
      try {
        for await (const object of api.list(collection, 'metadata', signal)) {
          found.add(collection, object);
        }
      } catch (error) {
        if (!isRefused(error)) throw error;
        lost.set(collection, error.message);
      }
    }
    return lost;
  };

  /** Gives lost collections their last known objects. @throws {Failure} without any. */
  const keep = (
    all: readonly Collection[],
    lost: ReadonlyMap<Collection, string>,
    found: Fingerprint,
    fresh: boolean,
  ) => {
    const known = fresh ? undefined : published;
    const missing = [...lost].filter(([one]) => !known?.files.has(collectionName(one)));
    if (lost.size === all.length || missing.length > 0) {
      const reasons = lost.size === all.length ? [...lost] : missing;
      throw new Failure('unauthorized', reasons.map(([, reason]) => reason).join('; '));
    }
    for (const one of lost.keys()) if (known) found.copy(one, known.objects);
  };

  return {
    warnings: () => warnings,
    poll: async ({ signal, fresh }) => {
      const all = await collections();
      const found = new Fingerprint(maxFiles);
      const lost = await survey(all, found, signal);
      if (lost.size > 0) keep(all, lost, found, fresh);
      warnings = [...lost].map(
        ([one, reason]) => `the files of ${collectionName(one)} stay as they are: ${reason}`,
      );
      const last = published;
      if (!fresh && found.digest() === last?.objects.digest()) return undefined;
      const entries = new ObjectEntries(options.folderAnnotation);
      const objects = new Fingerprint(maxFiles);
      const files = new Map<string, ObjectFile[]>();
      async function* read(collection: Collection): AsyncGenerator<ObjectFile & TreeEntry> {
        if (lost.has(collection) && last) {
          objects.copy(collection, last.objects);
          for (const file of entries.kept(last.files.get(collectionName(collection)) ?? [])) {
            yield { ...file, chunks: publishedFile(join(options.target, file.path)) };
          }
          return;
        }
        for await (const object of api.list(collection, 'all', signal)) {
          objects.add(collection, object);
          yield* entries.of(collection.kind, object);
        }
      }
      async function* readAll(): AsyncGenerator<TreeEntry> {
        for (const collection of all) {
          const own: ObjectFile[] = [];
          files.set(collectionName(collection), own);
          for await (const file of read(collection)) {
            const { id, key, path, secret } = file;
            own.push({ id, key, path, secret });
            yield file;
          }
        }
      }
      return {
        kind: 'tree',
        entries: readAll(),
        warnings: () => entries.warnings,
        published: () => {
          published = { objects, files };
        },
      };
    },
    watch: async (changed, signal) => {
      const all = await collections();
      const { timeout } = options;
      await Promise.all(all.map((one) => watchCollection(api, one, { changed, timeout, signal })));
    },
  };
}

/**
 * Reads a file from the moment on that its content is needed. Who can write to the volume may have
 * put something else in its place: a FIFO would block, and a link lead to files of this container.
 */
async function* publishedFile(path: string): AsyncGenerator<Uint8Array> {
  await using file = await openRegularFile(path, constants.O_NOFOLLOW);
  yield* file.createReadStream({ autoClose: false });
}

/** Whether the server denies access to a collection, rather than being out of order. */
function isRefused(error: unknown): error is Failure {
  return error instanceof Failure && (error.status === 403 || error.status === 404);
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
