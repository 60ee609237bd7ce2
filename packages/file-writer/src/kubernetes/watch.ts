import { fullJitter, pause } from '@sidekit/core';
import { bodyOf } from '../http/exchange.ts';
import type { Collection, KubernetesApi } from './api.ts';

/** The longest event that is read, in bytes; a longer one is a change all the same. */
const EVENT_LIMIT = 2 * 1024 * 1024;

interface WatchEvent {
  readonly type: string;
  readonly object?: { readonly metadata?: { readonly resourceVersion?: string } };
}

interface WatchOptions {
  readonly changed: () => void;
  /** For the list before a watch, in milliseconds. */
  readonly timeout: number;
  readonly signal: AbortSignal;
}

/**
 * Calls `changed` after each change of a collection, until the signal aborts. A watch is only a
 * hint: whatever breaks it, it is opened again from the last resource version, and from a new list
 * if the server has forgotten that one (410). The polls in between are the guarantee.
 */
export async function watchCollection(
  api: KubernetesApi,
  collection: Collection,
  { changed, timeout, signal }: WatchOptions,
): Promise<void> {
  let version: string | undefined;
  for (let failures = 0; !signal.aborted; ) {
    try {
      if (version === undefined) {
        version = await currentVersion(
          api,
          collection,
          AbortSignal.any([signal, AbortSignal.timeout(timeout)]),
        );
        changed();
      }
      const response = await api.watch(collection, version, signal);
      for await (const event of eventsOf(bodyOf(response))) {
        if (event === 'too long' || event.type === 'ERROR') {
          version = undefined;
          break;
        }
        failures = 0;
        version = event.object?.metadata?.resourceVersion ?? version;
        if (event.type !== 'BOOKMARK') changed();
      }
    } catch (error) {
      if ((error as { reason?: string }).reason === 'expired') version = undefined;
    }
    await pause(fullJitter(failures++, { base: 1000, cap: 60_000 }), signal);
  }
}

async function currentVersion(
  api: KubernetesApi,
  collection: Collection,
  signal: AbortSignal,
): Promise<string> {
  const list = api.list(collection, 'metadata', signal);
  for (;;) {
    const { done, value } = await list.next();
    if (done) return value;
  }
}

/** Parses one JSON object a line. */
async function* eventsOf(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<WatchEvent | 'too long'> {
  let parts: Buffer[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    let rest = Buffer.from(chunk);
    for (let end = rest.indexOf(0x0a); end !== -1; end = rest.indexOf(0x0a)) {
      const line = Buffer.concat([...parts, rest.subarray(0, end)]).toString();
      [parts, size, rest] = [[], 0, rest.subarray(end + 1)];
      yield JSON.parse(line) as WatchEvent;
    }
    parts.push(rest);
    size += rest.length;
    if (size > EVENT_LIMIT) yield 'too long';
  }
}
