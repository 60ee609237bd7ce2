import { ExpectedError } from '@sidekit/core/tool';
import { command } from '../engine/command.ts';
import type { FoundEngine } from '../engine/find.ts';
import type { PodRecord } from '../store/record.ts';
import { removeVolumes } from '../volumes/pod-volumes.ts';

/**
 * Returns the words before a command that handles volumes. With rootless Podman it runs in the
 * user namespace of this user's containers: there it is root over the IDs that the namespace maps,
 * so it can give volumes to an fsGroup, mount, and remove the files of every container.
 */
export function volumeOwner({ rootless }: Pick<FoundEngine, 'rootless'>): string[] {
  return rootless && process.getuid?.() !== 0 ? ['podman', 'unshare'] : [];
}

/** Removes the volumes of a Pod that has ended. @throws {ExpectedError} if some remain. */
export function removeVolumesOf(
  { volumes, engine }: PodRecord,
  program: { readonly program: string },
): Promise<void> {
  return removeFolder(volumes, engine, program);
}

/**
 * Removes a folder of volumes, whoever owns its files. Without an engine it is assumed to be one
 * of this user: Podman's, unless this is root.
 * @throws {ExpectedError} if some files remain.
 */
export async function removeFolder(
  path: string,
  engine: Pick<FoundEngine, 'rootless'> | undefined,
  { program }: { readonly program: string },
): Promise<void> {
  const [unshare, ...words] = volumeOwner(engine ?? { rootless: true });
  if (unshare === undefined) return removeVolumes(path);
  const args = [...words, process.execPath, program, 'remove-volumes', path];
  const { code, stderr } = await command(unshare, args);
  if (code !== 0) throw new ExpectedError(`the volumes in ${path} remain: ${stderr.trim()}`);
}
