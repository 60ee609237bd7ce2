import type { FoundEngine } from '../engine/find.ts';

/**
 * Returns the words before a command that handles volumes. With rootless Podman it runs in the
 * user namespace of this user's containers: there it is root over the IDs that the namespace maps,
 * so it can give volumes to an fsGroup, mount, and remove the files of every container.
 */
export function volumeOwner({ name, rootless }: Pick<FoundEngine, 'name' | 'rootless'>): string[] {
  return name === 'podman' && rootless && process.getuid?.() !== 0 ? ['podman', 'unshare'] : [];
}

/**
 * Whether this process may own volumes for any user and group: as root, or as root of the user
 * namespace of rootless Podman. A member of the docker group may not; the engine does it.
 */
export function ownsVolumes({ name }: Pick<FoundEngine, 'name'>): boolean {
  return name === 'podman' || (process.platform === 'linux' && process.getuid?.() === 0);
}
