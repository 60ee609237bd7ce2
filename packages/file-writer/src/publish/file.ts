import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { replaceFile } from '@sidekit/core';
import { Allowance, checkPin, type FileContent, Measure } from '../content.ts';
import type { Outcome, Published, WriteSettings } from './settings.ts';

/** Replaces the target by the content, unless it is what is there already. */
export async function publishFile(
  content: FileContent,
  current: Published | undefined,
  settings: WriteSettings,
): Promise<Outcome> {
  const { target, maxSize } = settings;
  if (Array.isArray(content.chunks) && current && (await hasAttributes(settings))) {
    // All of it is at hand: the same content again costs no write.
    const { digest, size } = measureAll(content.chunks);
    if (digest === current.digest) {
      checkPin(digest, content.sha256);
      return { digest, size, changed: false, trace: current.trace };
    }
  }
  const measure = new Measure(new Allowance(maxSize));
  let digest = '';
  const changed = await replaceFile(target, measure.through(content.chunks), {
    ...settings,
    accept: async () => {
      digest = measure.digest();
      checkPin(digest, content.sha256);
      return digest !== current?.digest || !(await hasAttributes(settings));
    },
  });
  return { digest, size: measure.size, changed, trace: await fileTrace(settings) };
}

/** What an earlier run left at the target; undefined where there is no file. */
export async function readPublishedFile(settings: WriteSettings): Promise<Published | undefined> {
  const trace = await fileTrace(settings);
  const measure = new Measure(new Allowance(Number.POSITIVE_INFINITY));
  try {
    for await (const _ of measure.through(createReadStream(settings.target)));
  } catch {
    return undefined;
  }
  return { digest: measure.digest(), size: measure.size, trace };
}

/** Changes when the file is replaced, written to, or gone. */
export async function fileTrace({ fileSystem, target }: WriteSettings): Promise<string> {
  try {
    const { dev, ino, size, mtimeMs, mode, uid, gid } = await fileSystem.lstat(target);
    return [dev, ino, size, mtimeMs, mode, uid, gid].join(' ');
  } catch {
    return '';
  }
}

function measureAll(chunks: readonly Uint8Array[]) {
  const hash = createHash('sha256');
  let size = 0;
  for (const chunk of chunks) {
    hash.update(chunk);
    size += chunk.length;
  }
  return { digest: hash.digest('hex'), size };
}

async function hasAttributes({ fileSystem, target, mode, owner }: WriteSettings) {
  const stat = await fileSystem.lstat(target);
  const owned = !owner || (stat.uid === owner.uid && stat.gid === owner.gid);
  return owned && stat.isFile() && (stat.mode & 0o7777) === mode;
}
