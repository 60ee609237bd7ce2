import { formatSize, Gathered } from '@sidekit/core';
import { Failure } from '../failure.ts';
import { readOptionFile } from '../http/credentials.ts';
import { bodyOf, type Exchange, exchange } from '../http/exchange.ts';
import { show } from '../http/show.ts';
import { statusFailure } from '../http/status.ts';

/** The largest page of a list, in bytes: an object may take 1.5 MiB. */
const PAGE_BYTES = 12 * 1024 * 1024;

export type Kind = 'ConfigMap' | 'Secret';

export interface Metadata {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A ConfigMap or Secret; of a list of metadata, only that. */
export interface KubernetesObject {
  readonly metadata: Metadata;
  readonly data?: Readonly<Record<string, string>>;
  readonly binaryData?: Readonly<Record<string, string>>;
}

interface List {
  readonly metadata: { readonly continue?: string; readonly resourceVersion: string };
  /** An empty list of metadata is null. */
  readonly items: readonly KubernetesObject[] | null;
}

export interface ApiOptions {
  /** The `https` URL of the API server. */
  readonly server: string;
  /** The directory with `token` and `ca.crt`, as Kubernetes mounts it. */
  readonly serviceAccount: string;
  readonly idleTimeout: number;
}

/** The objects of one kind in one namespace that match a label selector. */
export interface Collection {
  readonly kind: Kind;
  readonly namespace: string;
  readonly selector: string;
}

/** Asks for the metadata only: for finding changes without the content. */
const METADATA: Readonly<Record<'list' | 'watch', string>> = {
  list: 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1',
  watch: 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1',
};

/** Reads ConfigMaps and Secrets with the service account of the Pod: list and watch only. */
export class KubernetesApi {
  readonly #options: ApiOptions;

  constructor(options: ApiOptions) {
    this.#options = options;
  }

  /**
   * Lists a collection page by page, as of one resource version. Pages are halved until they fit
   * into memory.
   * @returns that resource version, for a watch. @throws {Failure}
   */
  async *list(
    collection: Collection,
    content: 'metadata' | 'all',
    signal: AbortSignal,
  ): AsyncGenerator<KubernetesObject, string> {
    let next = '';
    let version = '';
    for (let limit = content === 'all' ? 8 : 64; ; ) {
      const query = { limit: String(limit), ...(next ? { continue: next } : {}) };
      const accept = content === 'all' ? 'application/json' : METADATA.list;
      const response = await this.#get(collection, query, accept, signal);
      const page = await readList(response, limit > 1);
      if (page === undefined) {
        limit = Math.ceil(limit / 4);
        continue;
      }
      yield* page.items ?? [];
      version = page.metadata.resourceVersion;
      next = page.metadata.continue ?? '';
      if (next === '') return version;
    }
  }

  /** Opens a watch of the metadata after a resource version; the server ends it in some minutes. */
  async watch(collection: Collection, version: string, signal: AbortSignal): Promise<Exchange> {
    const query = {
      watch: 'true',
      resourceVersion: version,
      allowWatchBookmarks: 'true',
      timeoutSeconds: '240',
    };
    return await this.#get(collection, query, METADATA.watch, signal);
  }

  async #get(
    { kind, namespace, selector }: Collection,
    query: Readonly<Record<string, string>>,
    accept: string,
    signal: AbortSignal,
  ): Promise<Exchange> {
    const { server, serviceAccount, idleTimeout } = this.#options;
    const resource = kind === 'Secret' ? 'secrets' : 'configmaps';
    const url = new URL(`/api/v1/namespaces/${encodeURIComponent(namespace)}/${resource}`, server);
    url.search = String(new URLSearchParams({ labelSelector: selector, ...query }));
    // Read for each request: the kubelet replaces it before it expires.
    const token = await readOptionFile(
      '--service-account',
      `${serviceAccount}/token`,
      'set automountServiceAccountToken: true in the Pod',
    );
    const response = await exchange(url.href, {
      headers: { accept },
      credentials: { authorization: `Bearer ${token.trim()}` },
      // A quiet watch gets a bookmark about every minute.
      idleTimeout: query.watch ? 300_000 : idleTimeout,
      redirects: 0,
      caFile: `${serviceAccount}/ca.crt`,
      signal,
    });
    if (response.status === 200) return response;
    response.body.destroy();
    if (response.status === 403) {
      throw new Failure(
        'unauthorized',
        `${show(url)} answered 403: give the service account a Role with get, list and watch of ${resource} in the namespace ${namespace}, and a RoleBinding`,
        { status: 403 },
      );
    }
    if (response.status === 410) throw new Failure('expired', `${show(url)} answered 410`);
    throw statusFailure(response, 'the service account');
  }
}

/** @returns undefined if the page is too large and a smaller one can be requested. */
async function readList(response: Exchange, divisible: boolean): Promise<List | undefined> {
  const gathered = new Gathered();
  for await (const chunk of bodyOf(response)) {
    gathered.add(chunk);
    if (gathered.length > PAGE_BYTES) {
      if (divisible) return undefined;
      throw new Failure(
        'too_large',
        `${show(response.url)} has an object of more than ${formatSize(PAGE_BYTES)}`,
      );
    }
  }
  try {
    const page = JSON.parse(gathered.bytes().toString()) as List;
    const isList = page.items === null || Array.isArray(page.items);
    if (isList && page.metadata.resourceVersion) return page;
  } catch {}
  throw new Failure('kubernetes', `${show(response.url)} sent no list of objects`);
}
