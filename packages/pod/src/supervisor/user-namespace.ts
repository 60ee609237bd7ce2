import { ExpectedError } from '@sidekit/core/tool';
import { command } from '../engine/command.ts';
import { Engine } from '../engine/engine.ts';
import type { FoundEngine } from '../engine/find.ts';
import { podLabels } from '../engine/labels.ts';
import type { PodRecord } from '../store/record.ts';
import { removeVolumes } from '../volumes/pod-volumes.ts';

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

/** Removes the volumes of a Pod that has ended. @throws {ExpectedError} if some remain. */
export async function removeVolumesOf(
  record: PodRecord,
  program: { readonly program: string },
): Promise<void> {
  const { volumes, engine } = record;
  if (!ownsVolumes(engine)) await new Engine(engine).removeVolumes(podLabels(record).own);
  return removeFolder(volumes, engine, program);
}

/**
 * Removes a folder of volumes, whoever owns its files. Without an engine it is assumed to be one
 * of this user: Podman's, unless this is root.
 * @throws {ExpectedError} if some files remain.
 */
export async function removeFolder(
  path: string,
  engine: Pick<FoundEngine, 'name' | 'rootless'> | undefined,
  { program }: { readonly program: string },
): Promise<void> {
  const [unshare, ...words] = volumeOwner(engine ?? { name: 'podman', rootless: true });
  if (unshare === undefined) return removeVolumes(path);
  const args = [...words, process.execPath, program, 'remove-volumes', path];
  const { code, stderr } = await command(unshare, args);
  if (code !== 0) throw new ExpectedError(`the volumes in ${path} remain: ${stderr.trim()}`);
}
