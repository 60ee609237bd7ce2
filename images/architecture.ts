/** Node's name of a CPU architecture, as in an image's platform: amd64 is x64. */
export type Architecture = 'x64' | 'arm64';

/** Debian's names of the architectures, which are also those of an image's platform. */
export const PLATFORMS: Readonly<Record<Architecture, string>> = { x64: 'amd64', arm64: 'arm64' };

/** The architecture of this machine. @throws Error if no images are built for it. */
export function hostArchitecture(): Architecture {
  if (process.arch === 'x64' || process.arch === 'arm64') return process.arch;
  throw new Error(`images are built for x64 and arm64, not for ${process.arch}`);
}
