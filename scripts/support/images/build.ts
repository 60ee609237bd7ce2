import { createHash } from 'node:crypto';
import { cpSync, existsSync, globSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { hostArchitecture, PLATFORMS } from '../../../images/architecture.ts';
import { bundle } from '../../../images/bundle.ts';
import { IMAGES, type ImageSpec } from '../../../images/catalog.ts';
import { CACHE_VARIABLE, type NodeRunner, warmCodeCache } from '../../../images/code-cache.ts';
import type { ContainerEngine } from '../engine.ts';
import { step } from '../output.ts';
import { run } from '../run.ts';
import { type Base, CACHE, ensureBase } from './base.ts';
import { addDebianFiles } from './debian-files.ts';
import { allBuiltInputs } from './engine-image.ts';

export const version: string = JSON.parse(readFileSync('package.json', 'utf8')).version;

export function imageReference(name: string): string {
  return `sidekit/${name}:${version}`;
}

/** Builds the images whose inputs have changed, with nothing but Node and the engine. */
export async function buildImages(engine: ContainerEngine, images: readonly ImageSpec[] = IMAGES) {
  const base = await ensureBase(engine);
  const platform = PLATFORMS[hostArchitecture()];
  const references = images.map(({ name }) => imageReference(name));
  const built = await allBuiltInputs(engine, references);
  for (const [i, image] of images.entries()) {
    const reference = imageReference(image.name);
    const inputs = hash(base.inputs, ...sources(image));
    if (built[i] === inputs) continue;
    await step(`image ${reference}`, async () => {
      const context = join(CACHE, image.name);
      const app = join(context, platform, image.name, 'app');
      rmSync(context, { recursive: true, force: true });
      await bundle(image, app, hostArchitecture());
      if (image.debian) await addDebianFiles(engine, image.debian, join(app, 'debian'));
      await warmCodeCache(image, app, base.ownNode ? undefined : inBase(engine, base, app));
      cpSync('images/Dockerfile', join(context, 'Dockerfile'));
      await build(engine, context, reference, {
        BASE: base.reference,
        NAME: image.name,
        TITLE: image.title,
        VERSION: version,
        INPUTS: inputs,
        TARGETARCH: platform,
      });
    });
  }
}

/** Runs the base's own Node, whose version only the base knows, on the files of `directory`. */
export function inBase(
  engine: ContainerEngine,
  base: Pick<Base, 'reference'>,
  directory: string,
  platform?: string,
): NodeRunner {
  const flags = platform === undefined ? [] : [`--platform=linux/${platform}`];
  const command = [
    ...[engine.name, 'run', '--rm', ...flags, ...engine.runFlags, '--network=none', '--user=0:0'],
    ...['--tmpfs=/tmp', '-v', `${resolve(directory)}:/app:z`, '-e', CACHE_VARIABLE],
    ...['--entrypoint=/nodejs/bin/node', base.reference],
  ];
  return { command, directory: '/app', env: process.env };
}

async function build(
  engine: ContainerEngine,
  context: string,
  reference: string,
  buildArgs: Readonly<Record<string, string>>,
) {
  const args = Object.entries(buildArgs).flatMap(([name, value]) => [
    '--build-arg',
    `${name}=${value}`,
  ]);
  await run(engine.name, ['build', '-q', '--pull=false', ...args, '-t', reference, context], {
    env: { DOCKER_BUILDKIT: '0' },
  });
}

/** Returns everything that an image is made from. */
function sources(image: ImageSpec): (string | Buffer)[] {
  const files = [
    ...globSync(
      `packages/{${image.name},core,posix-mq,shared-memory,targets}/{src/**/*.ts,package.json}`,
    ),
    ...globSync('images/*.{ts,cjs}'),
    'images/Dockerfile',
    'package-lock.json',
  ].filter((path) => !path.endsWith('.test.ts') && existsSync(path));
  return files.toSorted().flatMap((path) => [path, readFileSync(path)]);
}

function hash(...parts: readonly (string | Buffer)[]): string {
  const digest = createHash('sha256');
  for (const part of parts) digest.update(part).update('\0');
  return digest.digest('hex').slice(0, 32);
}
