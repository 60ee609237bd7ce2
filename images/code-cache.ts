import { spawn } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ImageSpec } from './catalog.ts';
import { nodeBinary } from './node-binary.ts';
import { NODE_FLAGS } from './node-flags.ts';

/** The launcher writes the caches to the folder that this variable holds. */
export const CACHE_VARIABLE = 'SIDEKIT_WRITE_CODE_CACHE';

/** The configuration file of a warm-up run, next to the image's files. */
const CONFIG = 'warm-up.yaml';

/** The file of the cache, next to the bundle. */
const CACHE = 'bundle.cache';

/** How to run Node on the files of an image. */
export interface NodeRunner {
  /** The program and its arguments up to and including Node. */
  readonly command: readonly string[];
  /** The image's directory as Node sees it. */
  readonly directory: string;
  /** The environment of that program. */
  readonly env: NodeJS.ProcessEnv;
}

/**
 * Runs the bundle once as the image will, stops it, and keeps what V8 compiled: start-up then
 * reads the functions it needs instead of compiling them. V8 takes the cache only if the Node
 * that wrote it has the same version and flags.
 * @param directory the image's files on this machine.
 * @param runner this machine's Node, unless given.
 * @throws Error with the log of a run that failed.
 */
export async function warmCodeCache(
  image: ImageSpec,
  directory: string,
  runner: NodeRunner = { command: [nodeBinary()], directory, env: {} },
): Promise<void> {
  const [program = '', ...words] = runner.command;
  const main = join(runner.directory, 'main.cjs');
  using config = image.warmUpConfig && temporaryFile(directory, image.warmUpConfig);
  const args = [...image.warmUp, ...(config ? ['--config', join(runner.directory, CONFIG)] : [])];
  const child = spawn(program, [...words, ...NODE_FLAGS, main, ...args], {
    env: { ...runner.env, [CACHE_VARIABLE]: runner.directory },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  let stop: NodeJS.Timeout | undefined;
  child.stderr.setEncoding('utf8').on('data', (text) => {
    log += text;
    // With its first record a sidecar takes signals; a moment later its servers listen.
    stop ??= setTimeout(() => child.kill('SIGTERM'), 600);
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
  });
  clearTimeout(stop);
  // A wait that ends unavailable (69) has run all the same; a stopped one ends with 143. An engine
  // that is stopped just after its container has ended has no exit code.
  const written = existsSync(join(directory, CACHE));
  if (!written || (code !== null && code !== 0 && code !== 69 && code !== 143)) {
    throw new Error(`the warm-up run of ${image.name} ended with ${code}:\n${log}`);
  }
}

/** Writes the configuration file, and removes it at the end: no image holds it. */
function temporaryFile(directory: string, content: object): Disposable {
  const path = join(directory, CONFIG);
  // JSON is YAML, too.
  writeFileSync(path, JSON.stringify(content));
  return { [Symbol.dispose]: () => rmSync(path) };
}
