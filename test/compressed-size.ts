import { createReadStream, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { must } from './engine/command.ts';

/** Returns the bytes that a registry transfers for each layer, by image. */
export async function compressedLayers(
  engine: 'docker' | 'podman',
  images: readonly string[],
): Promise<Map<string, { readonly layer: string; readonly size: number }[]>> {
  const directory = mkdtempSync(join(tmpdir(), 'sidekit-layers-'));
  try {
    const archive = join(directory, 'images.tar');
    const several = engine === 'podman' ? ['--multi-image-archive'] : [];
    await must(engine, ['save', ...several, '-o', archive, ...images]);
    await must('tar', ['-xf', archive, '-C', directory]);
    rmSync(archive);
    const manifest: { RepoTags: string[]; Layers: string[] }[] = JSON.parse(
      readFileSync(join(directory, 'manifest.json'), 'utf8'),
    );
    const sizes = new Map<string, number>();
    const found = new Map<string, { layer: string; size: number }[]>();
    for (const {
      RepoTags: [tag = ''],
      Layers: layers,
    } of manifest) {
      const own = [];
      for (const path of layers) {
        // Docker stores a layer that it has had already as a link.
        const layer = realpathSync(join(directory, path));
        if (!sizes.has(layer)) sizes.set(layer, await gzipped(layer));
        own.push({ layer, size: sizes.get(layer) ?? 0 });
      }
      found.set(tag.replace(/^localhost\//, ''), own);
    }
    return found;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function gzipped(path: string): Promise<number> {
  let size = 0;
  await pipeline(createReadStream(path), createGzip(), async (chunks) => {
    for await (const chunk of chunks) size += chunk.length;
  });
  return size;
}
