import { ExpectedError, errorText, pause } from '@sidekit/core/tool';
import { splitDocuments } from '../json-stream.ts';
import { type KubeApi, KubeError, type RequestOptions } from './api.ts';

/** The pause before a list that failed is tried again, in milliseconds. */
const RETRY = 1000;
/** The API server ends a watch after this time, in seconds; a connection that died is noticed by then. */
const WATCH = 240;
/** Objects of one list; the API server returns long lists in parts. */
const PART = 500;
const MAX_OBJECTS = 5000;

/** Asks for the metadata of objects alone: it tells that they change, and their values are not needed. */
const metadataOf = (kind: 'PartialObjectMetadata' | 'PartialObjectMetadataList') =>
  `application/json;as=${kind};g=meta.k8s.io;v=v1`;

/** The part of the API that is read. */
export type Readable = Pick<KubeApi, 'read' | 'open'>;

export interface Listed {
  readonly metadata: { readonly name: string; readonly resourceVersion?: string };
}

export interface ListWatch<T> {
  /** The collection, such as `/api/v1/namespaces/default/pods`. */
  readonly path: string;
  /** A field selector. */
  readonly fields?: string;
  /** Whether the objects' metadata are enough. */
  readonly metadataOnly?: boolean;
  /** All objects: at first, and whenever changes were missed. */
  onList(items: readonly T[]): unknown;
  onEvent(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: T): unknown;
  /** Why nothing arrives for now; undefined once it does again. */
  onProblem?(problem: string | undefined): void;
  readonly signal: AbortSignal;
}

/**
 * Lists a collection and follows its changes as Kubernetes' own clients do (API concepts,
 * "Efficient detection of changes"): a watch that ends is continued, and one that is too old begins
 * with a list again, so that nothing deleted meanwhile remains. Ends when `signal` aborts, or when
 * the user may not read the collection.
 */
export async function listAndWatch<T extends Listed>(
  api: Readable,
  options: ListWatch<T>,
): Promise<void> {
  const { signal } = options;
  while (!signal.aborted) {
    try {
      let version: string | undefined = await list(api, options);
      options.onProblem?.(undefined);
      while (version !== undefined && !signal.aborted) version = await watch(api, options, version);
    } catch (error) {
      if (signal.aborted) return;
      options.onProblem?.(errorText(error));
      if (error instanceof KubeError && error.status === 403) return;
    }
    await pause(RETRY, signal);
  }
}

async function list<T>(api: Readable, options: ListWatch<T>): Promise<string> {
  const { path, onList } = options;
  const items: T[] = [];
  let next = '';
  for (;;) {
    const more: Record<string, string> = next === '' ? {} : { continue: next };
    const [url, how] = target(options, 'PartialObjectMetadataList', {
      limit: String(PART),
      ...more,
    });
    const { metadata, items: part } = JSON.parse(await api.read(url, how));
    items.push(...part);
    if (items.length > MAX_OBJECTS) {
      throw new ExpectedError(`${path} holds more than ${MAX_OBJECTS} objects`);
    }
    next = metadata.continue ?? '';
    if (next !== '') continue;
    onList(items);
    return String(metadata.resourceVersion);
  }
}

/** Follows changes from a version on. @returns the version to continue from; undefined for a new list. */
async function watch<T extends Listed>(
  api: Readable,
  options: ListWatch<T>,
  from: string,
): Promise<string | undefined> {
  const { onEvent, signal } = options;
  const [url, how] = target(options, 'PartialObjectMetadata', {
    watch: '1',
    allowWatchBookmarks: 'true',
    timeoutSeconds: String(WATCH),
    resourceVersion: from,
  });
  const stream = await api.open(url, how);
  let version: string | undefined = from;
  const feed = splitDocuments((text) => {
    const { type, object } = JSON.parse(text);
    // 410: the version is older than what the API server keeps.
    if (type === 'ERROR') version = undefined;
    else if (version !== undefined) {
      version = object.metadata.resourceVersion;
      if (type !== 'BOOKMARK') onEvent(type, object);
    }
  });
  stream.setEncoding('utf8');
  try {
    for await (const chunk of stream) feed(chunk);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return version;
}

function target<T>(
  { path, fields, metadataOnly, signal }: ListWatch<T>,
  kind: Parameters<typeof metadataOf>[0],
  query: Readonly<Record<string, string>>,
): [url: string, options: RequestOptions] {
  const selector = fields === undefined ? {} : { fieldSelector: fields };
  const search = new URLSearchParams({ ...query, ...selector });
  return [`${path}?${search}`, { signal, ...(metadataOnly ? { accept: metadataOf(kind) } : {}) }];
}
