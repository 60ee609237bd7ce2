import { join } from 'node:path';
import { type Architecture, PLATFORMS } from '../../../images/architecture.ts';
import { bundle } from '../../../images/bundle.ts';
import { IMAGES } from '../../../images/catalog.ts';
import { warmCodeCache } from '../../../images/code-cache.ts';
import type { ContainerEngine } from '../engine.ts';
import { step } from '../output.ts';
import { run } from '../run.ts';
import { pinnedBase } from './base.ts';
import { inBase } from './build.ts';
import { addDebianFiles } from './debian-files.ts';

/**
 * Writes what the release build puts into the images, `PLATFORM/NAME/app` for every platform, with
 * code caches of the released base's own Node. A foreign platform is run under emulation
 * (binfmt_misc and qemu-user).
 */
export async function writeBundles(engine: ContainerEngine, directory: string): Promise<void> {
  const reference = process.env.SIDEKIT_BASE ?? pinnedBase();
  for (const [cpu, platform] of Object.entries(PLATFORMS) as [Architecture, string][]) {
    await step(`pull ${reference} for ${platform}`, () =>
      run(engine.name, ['pull', '-q', `--platform=linux/${platform}`, reference]),
    );
    for (const image of IMAGES) {
      await step(`bundle ${image.name} for ${platform}`, async () => {
        const app = join(directory, platform, image.name, 'app');
        await bundle(image, app, cpu);
        if (image.debian) await addDebianFiles(engine, image.debian, join(app, 'debian'), cpu);
        await warmCodeCache(image, app, inBase(engine, { reference }, app, platform));
      });
    }
  }
}
