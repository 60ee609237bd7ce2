import { mkdirSync } from 'node:fs';
import { type Architecture, hostArchitecture, PLATFORMS } from '../../../images/architecture.ts';
import { copyFiles, type DebianFiles } from '../../../images/debian-files.ts';
import { canUnpackDebianPackages, unpackDebianPackages } from '../../../images/debian-packages.ts';
import { temporaryFolder } from '../../../images/temporary.ts';
import type { ContainerEngine } from '../engine.ts';
import { run } from '../run.ts';

/** A Debian whose apt downloads the packages where this machine is not Debian. */
const DEBIAN =
  'docker.io/library/debian:trixie-slim@sha256:d7e12182ce18b85b93007c1dedf31f2d29e01ccf3182cc4017c709b6259bc132';
const UNPACK =
  'cd /tmp && apt-get -qq update && apt-get -qq download "$@" && for one in *.deb; do dpkg-deb -x "$one" /out; done && chown -R "$OWNER" /out';

/** Copies files of Debian packages into `directory`, with apt of this machine or of a container. */
export async function addDebianFiles(
  engine: ContainerEngine,
  { packages, files }: DebianFiles,
  directory: string,
  architecture: Architecture = hostArchitecture(),
): Promise<void> {
  using folder = temporaryFolder('sidekit-debian-');
  const root = folder.path;
  if (canUnpackDebianPackages()) {
    unpackDebianPackages(packages, architecture, root);
  } else {
    // Rootless Podman's root is the caller; Docker's is root.
    const owner = engine.name === 'podman' ? '0:0' : `${process.getuid?.()}:${process.getgid?.()}`;
    await run(engine.name, [
      ...['run', '--rm', ...engine.runFlags, '-v', `${root}:/out:z`, '-e', `OWNER=${owner}`],
      `--platform=linux/${PLATFORMS[architecture]}`,
      ...['--entrypoint=/bin/sh', DEBIAN, '-c', UNPACK, 'sh', ...packages],
    ]);
  }
  mkdirSync(directory, { recursive: true });
  copyFiles(root, files, directory);
}
