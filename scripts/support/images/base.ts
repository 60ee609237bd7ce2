import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { hostArchitecture } from '../../../images/architecture.ts';
import { BASE_INPUTS, makeBaseRootfs } from '../../../images/base-rootfs.ts';
import { nodeVersion } from '../../../images/node-binary.ts';
import { BASE_PACKAGES, canInstallDebianPackages, ensureDebianPackages } from '../debian.ts';
import type { ContainerEngine } from '../engine.ts';
import { step } from '../output.ts';
import { run } from '../run.ts';
import { builtInputs, INPUTS_LABEL, inspectImage } from './engine-image.ts';

export const CACHE = '.cache/images';
/** A registry that does not answer must not hold the build for long, in milliseconds. */
const PULL_TIMEOUT = 180_000;

/** The image that all others are built on. */
export interface Base {
  readonly reference: string;
  /** Changes when the images must be rebuilt. */
  readonly inputs: string;
  /** Whether its Node is the one of the lock file, which this machine can run directly. */
  readonly ownNode: boolean;
}

/** The reference in the Dockerfile, pinned by its digest. */
export function pinnedBase(): string {
  const [, reference] = /^ARG BASE=(\S+)$/m.exec(readFileSync('images/Dockerfile', 'utf8')) ?? [];
  if (reference === undefined) throw new Error('images/Dockerfile has no line ARG BASE=…');
  return reference;
}

/**
 * Pulls the base, or builds it from Debian packages where it cannot be pulled. `SIDEKIT_BASE` is a
 * reference to pull instead of the Dockerfile's, or `debian` for building it in any case. It is also
 * tagged `sidekit/base:<version of Node>`.
 * @throws Error naming what to do if neither is possible.
 */
export async function ensureBase(engine: ContainerEngine): Promise<Base> {
  const wanted = process.env.SIDEKIT_BASE ?? pinnedBase();
  const local = `sidekit/base:${nodeVersion()}`;
  if (wanted === 'debian') return buildBase(engine, local);
  if (!(await inspectImage(engine, wanted))) {
    const built = debianInputs();
    // Where the pull has failed before, and nothing has changed since, it is not tried again.
    if (process.env.SIDEKIT_BASE === undefined && (await builtInputs(engine, local)) === built)
      return { reference: local, inputs: built, ownNode: true };
    const failure = await pull(engine, wanted);
    if (failure !== undefined) {
      if (process.env.SIDEKIT_BASE !== undefined) throw failure;
      console.log(`  ${wanted} cannot be pulled: building the base from Debian packages`);
      return buildBase(engine, local);
    }
  }
  await run(engine.name, ['tag', wanted, local]);
  return { reference: wanted, inputs: wanted, ownNode: false };
}

async function pull(engine: ContainerEngine, reference: string): Promise<Error | undefined> {
  // Podman tries a failed pull three times more, with pauses.
  const flags = engine.name === 'podman' && !reference.includes('@') ? [] : ['-q'];
  return step(`pull ${reference}`, () =>
    run(engine.name, ['pull', ...flags, reference], { timeout: PULL_TIMEOUT }).then(
      () => undefined,
      (error: Error) => error,
    ),
  );
}

function debianInputs(): string {
  const digest = createHash('sha256');
  for (const part of [...BASE_INPUTS, nodeVersion(), readFileSync('images/base-rootfs.ts')])
    digest.update(part).update('\0');
  return digest.digest('hex').slice(0, 32);
}

async function buildBase(engine: ContainerEngine, reference: string): Promise<Base> {
  const inputs = debianInputs();
  if ((await builtInputs(engine, reference)) !== inputs) {
    if (canInstallDebianPackages()) await ensureDebianPackages(BASE_PACKAGES, 'the base image');
    await step(`image ${reference}`, async () => {
      const tar = join(CACHE, 'base/rootfs.tar');
      mkdirSync(join(CACHE, 'base'), { recursive: true });
      makeBaseRootfs(tar, hostArchitecture());
      const changes = [
        `LABEL ${INPUTS_LABEL}=${inputs}`,
        'ENV PATH=/nodejs/bin',
        'USER 65532:65532',
        'ENTRYPOINT ["/nodejs/bin/node"]',
      ].flatMap((change) => ['--change', change]);
      await run(engine.name, ['import', ...changes, tar, reference]);
      rmSync(tar);
    });
  }
  return { reference, inputs, ownNode: true };
}
