import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../run.ts';

type EngineName = 'docker' | 'podman';

/** Saves images as one archive under the names that nodes use, and passes its path to `use`. */
export async function withArchive(
  engine: EngineName,
  references: readonly string[],
  use: (archive: string) => Promise<void>,
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'sidekit-archive-'));
  const archive = join(directory, 'images.tar');
  try {
    await run(engine, ['save', '-o', archive, ...(await savedNames(engine, references))]);
    await use(archive);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Podman names what it built localhost/…, but nodes expect docker.io/…. */
async function savedNames(engine: EngineName, references: readonly string[]): Promise<string[]> {
  if (engine === 'docker') return [...references];
  const full = references.map((reference) => `docker.io/${reference}`);
  for (const [i, reference] of references.entries())
    await run(engine, ['tag', reference, full[i] ?? '']);
  return ['--multi-image-archive', ...full];
}
