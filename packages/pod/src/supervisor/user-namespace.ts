import { ExpectedError } from '@sidekit/core/tool';
import { command } from '../engine/command.ts';
import { Engine } from '../engine/engine.ts';
import type { FoundEngine } from '../engine/find.ts';
import { podLabels } from '../engine/labels.ts';
import type { PodRecord } from '../store/record.ts';
import { removeVolumes } from '../volumes/pod-volumes.ts';
import { ownsVolumes, volumeOwner } from './volume-owner.ts';

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
