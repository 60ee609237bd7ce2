import { join } from 'node:path';
import { temporaryFolder } from '../../../images/temporary.ts';
import { run } from '../run.ts';

type EngineName = 'docker' | 'podman';

/** Saves images as one archive under the names that nodes use, and passes its path to `use`. */
export async function withArchive(
  engine: EngineName,
  references: readonly string[],
  use: (archive: string) => Promise<void>,
): Promise<void> {
  using directory = temporaryFolder('sidekit-archive-');
  const archive = join(directory.path, 'images.tar');
  await run(engine, ['save', '-o', archive, ...(await savedNames(engine, references))]);
  await use(archive);
}

/** Podman names what it built localhost/…, but nodes expect docker.io/…. */
async function savedNames(engine: EngineName, references: readonly string[]): Promise<string[]> {
  if (engine === 'docker') return [...references];
  const full = references.map((reference) => `docker.io/${reference}`);
  for (const [i, reference] of references.entries())
    await run(engine, ['tag', reference, full[i] ?? '']);
  return ['--multi-image-archive', ...full];
}
