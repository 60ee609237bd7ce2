import { type Chunks, replaceFile, Sha256 } from '@sidekit/core';
import { Allowance, checkPin, type FileContent, Measure } from '../content.ts';
import { openRegularFile } from '../io/regular-file.ts';
import type { Outcome, Published, WriteSettings } from './settings.ts';

/** Content up to this size, in bytes, is read completely before anything is written. */
const READ_AHEAD = 256 * 1024;

/**
 * Replaces the target by the content, unless it has the same content already. Small content is
 * compared without a write, and any content without a sync: a busy disk may take longer for either
 * than the interval.
 */
export async function publishFile(
  content: FileContent,
  current: Published | undefined,
  settings: WriteSettings,
): Promise<Outcome> {
  const source = iterate(content.chunks);
  try {
    const head = await readAhead(source);
    if (head.complete && current && (await hasAttributes(settings))) {
      const { digest, size } = measureAll(head.chunks);
      if (digest === current.digest) {
        checkPin(digest, content.sha256);
        return { digest, size, changed: false, trace: current.trace };
      }
    }
    return await replace(content, joined(head.chunks, source), current, settings);
  } finally {
    await source.return();
  }
}

async function replace(
  { sha256 }: FileContent,
  chunks: Chunks,
  current: Published | undefined,
  settings: WriteSettings,
): Promise<Outcome> {
  const { target, maxSize } = settings;
  const measure = new Measure(new Allowance(maxSize));
  let digest = '';
  const changed = await replaceFile(target, measure.through(chunks), {
    ...settings,
    accept: async () => {
      digest = measure.digest();
      checkPin(digest, sha256);
      return digest !== current?.digest || !(await hasAttributes(settings));
    },
  });
  return { digest, size: measure.size, changed, trace: await fileTrace(settings) };
}

/** Reads until the source ends (then `complete`), or has delivered more than small content. */
async function readAhead(source: AsyncGenerator<Uint8Array, void>) {
  const chunks: Uint8Array[] = [];
  for (let size = 0; size <= READ_AHEAD; ) {
    const { done, value } = await source.next();
    if (done) return { complete: true, chunks };
    chunks.push(value);
    size += value.length;
  }
  return { complete: false, chunks };
}

async function* iterate(chunks: Chunks): AsyncGenerator<Uint8Array, void> {
  yield* chunks;
}

async function* joined(
  head: readonly Uint8Array[],
  rest: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  yield* head;
  yield* rest;
}

/** Reads the content that an earlier run left at the target; undefined if there is no file. */
export async function readPublishedFile(settings: WriteSettings): Promise<Published | undefined> {
  const { appends, fileSystem, target } = settings;
  const trace = await fileTrace(settings);
  if (appends) {
    const there = await fileSystem.lstat(target).catch(() => undefined);
    return there?.isFile() ? { digest: '', size: there.size, trace } : undefined;
  }
  const measure = new Measure(new Allowance(Number.POSITIVE_INFINITY));
  try {
    await using file = await openRegularFile(target);
    for await (const _ of measure.through(file.createReadStream({ autoClose: false })));
  } catch {
    return undefined;
  }
  return { digest: measure.digest(), size: measure.size, trace };
}

/** Identifies the state of the file: changes when it is replaced, written to or removed. */
export async function fileTrace({ fileSystem, target }: WriteSettings): Promise<string> {
  try {
    const { dev, ino, size, mtimeMs, mode, uid, gid } = await fileSystem.lstat(target);
    return [dev, ino, size, mtimeMs, mode, uid, gid].join(' ');
  } catch {
    return '';
  }
}

function measureAll(chunks: readonly Uint8Array[]) {
  const hash = new Sha256();
  let size = 0;
  for (const chunk of chunks) {
    hash.update(chunk);
    size += chunk.length;
  }
  return { digest: hash.digest(), size };
}

async function hasAttributes({ fileSystem, target, mode, owner }: WriteSettings) {
  const stat = await fileSystem.lstat(target);
  const owned = !owner || (stat.uid === owner.uid && stat.gid === owner.gid);
  return owned && stat.isFile() && (stat.mode & 0o7777) === mode;
}
