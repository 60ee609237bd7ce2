import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { ImageSpec } from './catalog.ts';
import { nodeBinary } from './node-binary.ts';
import { NODE_FLAGS } from './node-flags.ts';

/**
 * Runs the bundle once as the image will, stops it, and keeps what V8 compiled: start-up then
 * reads the functions it needs instead of compiling them.
 */
export async function warmCodeCache(image: ImageSpec, directory: string): Promise<void> {
  const path = join(directory, 'bundle.cache');
  const child = spawn(nodeBinary(), [...NODE_FLAGS, join(directory, 'main.cjs'), ...image.warmUp], {
    env: { SIDEKIT_WRITE_CODE_CACHE: path },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  let stop: NodeJS.Timeout | undefined;
  child.stderr.setEncoding('utf8').on('data', (text) => {
    log += text;
    // With its first record a sidecar takes signals; a moment later its servers listen.
    stop ??= setTimeout(() => child.kill('SIGTERM'), 600);
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  clearTimeout(stop);
  // A wait that ends unavailable (69) has run all the same.
  if (code !== 0 && code !== 69) {
    throw new Error(`the warm-up run of ${image.name} ended with ${code}:\n${log}`);
  }
}
