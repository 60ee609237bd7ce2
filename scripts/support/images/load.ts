import { step } from '../output.ts';
import { run } from '../run.ts';
import { Usage } from '../usage.ts';
import { withArchive } from './archive.ts';

type EngineName = 'docker' | 'podman';

/** How each kind of local cluster takes an archive of images. */
const CLUSTERS: Readonly<Record<string, (archive: string) => readonly string[]>> = {
  kind: (archive) => ['kind', 'load', 'image-archive', archive],
  minikube: (archive) => ['minikube', 'image', 'load', archive],
  k3d: (archive) => ['k3d', 'image', 'import', archive],
  k3s: (archive) => ['k3s', 'ctr', 'images', 'import', archive],
};

/** @throws {Usage} if `target` is neither a kind of local cluster nor a registry. */
export function checkLoadTarget(target: string): void {
  if (CLUSTERS[target]) return;
  if (!/^[\w.-]+(:\d+)?(\/[\w.-]+)*$/.test(target) || !/[.:/]/.test(target)) {
    throw new Usage(
      `--load ${target} is neither ${Object.keys(CLUSTERS).join(', ')} nor a registry such as registry.example.org/team`,
    );
  }
}

/**
 * Brings images to a cluster: to the nodes of a local one by its own tool, or to a registry, such
 * as `registry.example.org/team`.
 * @throws Error if `target` is neither.
 */
export async function loadImages(
  engine: EngineName,
  references: readonly string[],
  target: string,
): Promise<void> {
  checkLoadTarget(target);
  const command = CLUSTERS[target];
  if (command) {
    await step(`load the images into ${target}`, () =>
      withArchive(engine, references, async (archive) => {
        const [program = '', ...args] = command(archive);
        await run(program, args);
      }),
    );
    return;
  }
  for (const reference of references) {
    const remote = `${target}/${reference.replace(/^sidekit\//, '')}`;
    await step(`push ${remote}`, async () => {
      await run(engine, ['tag', reference, remote]);
      await run(engine, ['push', remote]);
    });
  }
}
