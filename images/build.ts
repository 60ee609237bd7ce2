import { createHash } from 'node:crypto';
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { BASE_PACKAGES, ensureDebianPackages } from '../scripts/support/debian.ts';
import type { ContainerEngine } from '../scripts/support/engine.ts';
import { step } from '../scripts/support/output.ts';
import { run, succeeds } from '../scripts/support/run.ts';
import { BASE_INPUTS, makeBaseRootfs, PLATFORMS } from './base-rootfs.ts';
import { type Architecture, bundle } from './bundle.ts';
import { IMAGES, type ImageSpec } from './catalog.ts';

const CACHE = '.cache/images';
const LABEL = 'dev.sidekit.inputs';

export const version: string = JSON.parse(readFileSync('package.json', 'utf8')).version;

export function imageReference(name: string): string {
  return `sidekit/${name}:${version}`;
}

/** Builds the images whose inputs have changed, on a base made without a registry. */
export async function buildImages(engine: ContainerEngine, images: readonly ImageSpec[] = IMAGES) {
  const base = await ensureBase(engine);
  for (const image of images) {
    const inputs = hash(base.inputs, ...sources(image));
    if ((await label(engine, imageReference(image.name))) === inputs) continue;
    await step(`image ${imageReference(image.name)}`, async () => {
      const context = join(CACHE, image.name);
      await bundle(image, join(context, 'app'), architecture());
      cpSync('images/Dockerfile', join(context, 'Dockerfile'));
      await build(engine, context, imageReference(image.name), {
        BASE: base.reference,
        NAME: image.name,
        TITLE: image.title,
        VERSION: version,
        INPUTS: inputs,
      });
    });
  }
}

/**
 * Writes only what goes into the images, for every platform, as the release build takes it:
 * `PLATFORM/base/rootfs.tar` and `PLATFORM/NAME/app`.
 */
export async function writeBundles(directory: string): Promise<void> {
  const foreign = architecture() === 'x64' ? 'aarch64' : 'x86-64';
  const packages = [...BASE_PACKAGES, `binutils-${foreign}-linux-gnu`];
  await ensureDebianPackages(packages, 'the bases of the release');
  for (const [cpu, platform] of Object.entries(PLATFORMS) as [Architecture, string][]) {
    await step(`base for ${platform}`, () =>
      makeBaseRootfs(join(directory, platform, 'base/rootfs.tar'), cpu),
    );
    for (const image of IMAGES) {
      await step(`bundle ${image.name} for ${platform}`, () =>
        bundle(image, join(directory, platform, image.name, 'app'), cpu),
      );
    }
  }
}

async function ensureBase(engine: ContainerEngine): Promise<{ reference: string; inputs: string }> {
  const node = JSON.parse(readFileSync('node_modules/node/package.json', 'utf8')).version;
  const inputs = hash(
    ...BASE_INPUTS,
    node,
    readFileSync('images/base.Dockerfile'),
    readFileSync('images/base-rootfs.ts'),
  );
  const reference = `sidekit/base:${node}`;
  if ((await label(engine, reference)) !== inputs) {
    await ensureDebianPackages(BASE_PACKAGES, 'the base image');
    await step(`image ${reference}`, async () => {
      const context = join(CACHE, 'base');
      const tar = join(context, 'rootfs.tar');
      rmSync(context, { recursive: true, force: true });
      mkdirSync(context, { recursive: true });
      makeBaseRootfs(tar, architecture());
      cpSync('images/base.Dockerfile', join(context, 'Dockerfile'));
      await build(engine, context, reference, {}, [`--label=${LABEL}=${inputs}`]);
      rmSync(tar);
    });
  }
  return { reference, inputs };
}

async function build(
  engine: ContainerEngine,
  context: string,
  reference: string,
  buildArgs: Readonly<Record<string, string>>,
  flags: readonly string[] = [],
) {
  // Files of an image must not depend on when it was built.
  const args = Object.entries(buildArgs).flatMap(([name, value]) => [
    '--build-arg',
    `${name}=${value}`,
  ]);
  await run(engine.name, ['build', '-q', ...flags, ...args, '-t', reference, context], {
    env: { DOCKER_BUILDKIT: '0' },
  });
}

/** Everything that an image is made from. */
function sources(image: ImageSpec): (string | Buffer)[] {
  const files = [
    ...globSync(`packages/{${image.name},core,posix-mq}/{src/**/*.ts,package.json}`),
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

async function label(engine: ContainerEngine, reference: string): Promise<string | undefined> {
  const format = `{{index .Config.Labels "${LABEL}"}}`;
  if (!(await succeeds(engine.name, ['image', 'inspect', reference]))) return undefined;
  return (await run(engine.name, ['image', 'inspect', '--format', format, reference])).trim();
}

function architecture(): Architecture {
  if (process.arch === 'x64' || process.arch === 'arm64') return process.arch;
  throw new Error(`images are built for x64 and arm64, not for ${process.arch}`);
}
