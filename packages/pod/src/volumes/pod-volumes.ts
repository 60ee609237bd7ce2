import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, closeSync, existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ExpectedError, errorText } from '@sidekit/core/tool';
import type { Mount } from '../engine/container-config.ts';
import { parseQuantity } from '../manifest/schema/quantity.ts';
import type { PodObject, PodSpec, Volume, VolumeMount } from '../manifest/types.ts';
import { bindMount, mountsBelow, unmount, unmountBelow } from './bind-mount.ts';
import { claimFolder, makeClaim } from './claims.ts';
import { diskUsage } from './disk-usage.ts';
import type { FieldContext } from './fields.ts';
import { isWritable, type PodData, volumeFiles } from './files.ts';
import { checkHostPath } from './host-path.ts';
import { openInside } from './open-inside.ts';
import { publishFiles } from './publish.ts';
import { checkMedium, isLimited, isOnDisk, type Volumes } from './volumes.ts';

/** The volumes of one Pod: a folder each below one folder that only this user can enter. */
export class PodVolumes implements Volumes {
  readonly #root: string;
  readonly #spec: PodSpec;
  readonly #namespace: string;
  #measuring: Promise<unknown> | undefined;

  /** `root` is the folder of this Pod's volumes; claims are kept next to it. */
  constructor(root: string, { spec, metadata }: Pick<PodObject, 'spec' | 'metadata'>) {
    this.#root = root;
    this.#spec = spec;
    this.#namespace = metadata.namespace;
  }

  readonly sandboxMounts = [];

  async prepare(): Promise<void> {}

  /** Creates all volumes. @throws {ExpectedError} if one cannot be created. */
  async make(): Promise<void> {
    mkdirSync(this.#root, { recursive: true, mode: 0o700 });
    for (const volume of this.#spec.volumes) {
      if (volume.hostPath) {
        checkHostPath(volume.hostPath);
        continue;
      }
      const path = this.#folder(volume);
      if (volume.persistentVolumeClaim) {
        if (makeClaim(path)) openToAll(path, this.#group);
        continue;
      }
      mkdirSync(path, { recursive: true, mode: 0o755 });
      if (!volume.emptyDir) continue;
      checkMedium(volume);
      if (volume.emptyDir.medium === 'Memory') mountMemory(path, volume.emptyDir.sizeLimit);
      openToAll(path, this.#group);
    }
  }

  /**
   * Writes the files of configMaps, secrets and the downward API if they have changed.
   * @returns the names of the volumes that have changed.
   */
  publish(context: FieldContext, data: PodData): string[] {
    return this.#spec.volumes
      .filter((volume) => {
        const files = volumeFiles(volume, context, data);
        return (
          files !== undefined && publishFiles(join(this.#root, volume.name), files, this.#group)
        );
      })
      .map(({ name }) => name);
  }

  /** Lists a container's mounts. @throws {ExpectedError} if a subPath leads out of its volume. */
  mounts(container: string, mounts: readonly VolumeMount[]): Mount[] {
    return mounts.map((mount, index) => ({
      source: this.#source(mount, join(this.#root, '.subpaths', `${container}-${index}`)),
      target: mount.mountPath.startsWith('/') ? mount.mountPath : `/${mount.mountPath}`,
      readOnly: mount.readOnly || !isWritable(mount.name, this.#spec),
    }));
  }

  #source({ name, subPath }: VolumeMount, place: string): string {
    const volume = this.#spec.volumes.find((one) => one.name === name);
    if (!volume) throw new ExpectedError(`there is no volume ${name}`);
    const base = this.#folder(volume);
    if (!subPath) return base;
    const writable = isWritable(name, this.#spec);
    const group = writable ? this.#group : undefined;
    const mode = writable ? emptyDirMode(group) : 0o755;
    const descriptor = openInside(base, subPath, { mode, group });
    try {
      // The container of an earlier run has a mount namespace of its own.
      if (mountsBelow(place).length > 0) unmount(place);
      bindMount(descriptor, place);
      return place;
    } finally {
      closeSync(descriptor);
    }
  }

  /** Returns an emptyDir that holds more than its sizeLimit; in memory the kernel keeps the limit. */
  async overfull(): Promise<{ readonly name: string; readonly limit: string } | undefined> {
    if (this.#measuring) return undefined;
    const measured = this.#measure();
    this.#measuring = measured;
    return measured.finally(() => {
      this.#measuring = undefined;
    });
  }

  async #measure() {
    for (const { name, emptyDir } of this.#spec.volumes.filter(isLimited)) {
      const usage = await diskUsage(join(this.#root, name));
      const limit = emptyDir?.sizeLimit ?? Number.POSITIVE_INFINITY;
      if (usage !== undefined && usage > parseQuantity(limit))
        return { name, limit: String(limit) };
    }
    return undefined;
  }

  async usage(): Promise<number> {
    let sum = 0;
    for (const { name } of this.#spec.volumes.filter(isOnDisk)) {
      sum += (await diskUsage(join(this.#root, name))) ?? 0;
    }
    return sum;
  }

  /** Returns the folder or file of the host that a volume is. */
  #folder({ name, hostPath, persistentVolumeClaim }: Volume): string {
    if (hostPath) return hostPath.path;
    if (!persistentVolumeClaim) return join(this.#root, name);
    return claimFolder(dirname(this.#root), this.#namespace, persistentVolumeClaim.claimName);
  }

  get #group(): number | undefined {
    return this.#spec.securityContext?.fsGroup;
  }
}

/** Unmounts and removes the volumes of a Pod, whatever its containers have left in them. */
export function removeVolumes(root: string): void {
  if (!existsSync(root)) return;
  unmountBelow(root);
  // rm(1) removes trees that are deeper than any path may be long, and follows no links.
  execFileSync('rm', ['-rf', '--', root], { stdio: 'ignore' });
}

/** An emptyDir is open to every container of the Pod, and to fsGroup if there is one. */
function openToAll(path: string, group: number | undefined) {
  if (group !== undefined) giveTo(path, group);
  chmodSync(path, emptyDirMode(group));
}

function emptyDirMode(group: number | undefined): number {
  return group === undefined ? 0o777 : 0o2777;
}

function giveTo(path: string, group: number) {
  try {
    chownSync(path, 0, group);
  } catch (error) {
    throw new ExpectedError(
      `fsGroup ${group} cannot own a volume (${errorText(error)}): rootless engines have the group IDs that /etc/subgid gives this user; give more, or choose a smaller fsGroup`,
    );
  }
}

function mountMemory(path: string, limit: string | number | undefined) {
  if (mountsBelow(path).length > 0) return;
  const size = limit === undefined ? '' : `,size=${Math.ceil(parseQuantity(limit))}`;
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `nosuid,nodev${size}`, 'tmpfs', path], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
  } catch {
    throw new ExpectedError(
      'an emptyDir with medium: Memory needs root on Linux, or rootless Podman: leave medium out here',
    );
  }
}
