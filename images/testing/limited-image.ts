import { join } from 'node:path';
import { LimitedProcess, type LimitOptions, temporaryDirectory } from '@sidekit/test-kit';
import { hostArchitecture } from '../architecture.ts';
import { bundle } from '../bundle.ts';
import { IMAGES } from '../catalog.ts';
import { warmCodeCache } from '../code-cache.ts';
import { nodeBinary } from '../node-binary.ts';
import { NODE_FLAGS } from '../node-flags.ts';

export const MIB = 1024 * 1024;
/** The memory limit of every sidecar in our manifests, in bytes. */
export const LIMIT = 128 * MIB;

/** The files of an image, and how to start them as the image does, under the manifests' limit. */
export interface LimitedImage extends Disposable {
  start(args: readonly string[], options?: Partial<LimitOptions>): LimitedProcess;
}

/** Bundles what the image of this name holds. */
export async function limitedImage(name: string): Promise<LimitedImage> {
  const image = IMAGES.find((one) => one.name === name);
  if (!image) throw new Error(`no image ${name}`);
  const directory = temporaryDirectory('image');
  await bundle(image, directory.path, hostArchitecture());
  await warmCodeCache(image, directory.path);
  const node = [nodeBinary(), ...NODE_FLAGS, join(directory.path, 'main.cjs')];
  return {
    start: (args, options) => {
      // As in images/Dockerfile.
      const env = { NODE_ENV: 'production', MALLOC_ARENA_MAX: '2', ...options?.env };
      return new LimitedProcess([...node, ...args], { limit: LIMIT, ...options, env });
    },
    [Symbol.dispose]: () => directory.remove(),
  };
}
