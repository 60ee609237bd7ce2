import type { Mount } from '../engine/container-config.ts';
import type { Volume, VolumeMount } from '../manifest/types.ts';
import type { FieldContext } from './fields.ts';
import type { PodData } from './files.ts';

/** The volumes of one Pod, whoever owns them. */
export interface Volumes {
  /** Creates all volumes. @throws {ExpectedError} if one cannot be created. */
  make(): Promise<void>;
  /**
   * Writes the files of configMaps, secrets and the downward API if they have changed.
   * @returns the names of the volumes that have changed.
   */
  publish(context: FieldContext, data: PodData): string[];
  /** Lists a container's mounts. @throws {ExpectedError} if a subPath leads out of its volume. */
  mounts(container: string, mounts: readonly VolumeMount[]): Mount[];
  /** Mounts of the sandbox, which keep volumes of the engine in use. */
  readonly sandboxMounts: readonly Mount[];
  /** Prepares volumes of the engine by way of the created sandbox. */
  prepare(sandbox: string): Promise<void>;
  /** Returns an emptyDir that holds more than its sizeLimit. */
  overfull(): Promise<{ readonly name: string; readonly limit: string } | undefined>;
  /** Returns the bytes that all emptyDirs on disk hold. */
  usage(): Promise<number>;
}

/** Whether the size of a volume is to be checked; in memory the kernel keeps the limit. */
export function isLimited(volume: Volume): boolean {
  return isOnDisk(volume) && volume.emptyDir?.sizeLimit !== undefined;
}

/** Whether it is an emptyDir that counts as local storage. */
export function isOnDisk({ emptyDir }: Volume): boolean {
  return emptyDir !== undefined && emptyDir.medium !== 'Memory';
}

/**
 * Checks that an emptyDir's medium is one that a kubelet knows: it tries again for ever, as here.
 * @throws Error in the kubelet's words.
 */
export function checkMedium({ emptyDir }: Volume): void {
  const { medium = '' } = emptyDir ?? {};
  if (medium === '' || medium === 'Memory') return;
  throw new Error(`unknown storage medium ${JSON.stringify(medium)}`);
}
