import { chmodSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { hostArchitecture } from '../../images/architecture.ts';
import { bundle } from '../../images/bundle.ts';
import { IMAGES } from '../../images/catalog.ts';
import { temporaryFolder } from '../../images/temporary.ts';
import { step } from './output.ts';

/** Next to what they are made of: /tmp may forbid to load the native binding. */
const CACHE = 'node_modules/.cache';

/**
 * Bundles every sidecar as its image has it, for the tests that start one: hundreds of times, each
 * in half the time that its sources take. The folder is removed with `using`, or at the exit.
 */
export async function bundlePrograms(): Promise<{ readonly path: string } & Disposable> {
  mkdirSync(CACHE, { recursive: true });
  const folder = temporaryFolder('programs-', resolve(CACHE));
  // Some tests start a sidecar as another user.
  chmodSync(folder.path, 0o755);
  try {
    await step('bundle the sidecars', async () => {
      for (const image of IMAGES)
        await bundle(image, join(folder.path, image.name), hostArchitecture());
    });
  } catch (error) {
    folder[Symbol.dispose]();
    throw error;
  }
  return folder;
}
