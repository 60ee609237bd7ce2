import { mkdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { ExpectedError } from '@sidekit/core/tool';
import type { Mount } from '../engine/container-config.ts';
import type { Engine } from '../engine/engine.ts';
import { podLabels } from '../engine/labels.ts';
import { folderTar } from '../engine/tar.ts';
import { parseQuantity } from '../manifest/schema/quantity.ts';
import type { PodSpec, Volume, VolumeMount } from '../manifest/types.ts';
import type { PodRecord } from '../store/record.ts';
import type { FieldContext } from './fields.ts';
import { isWritable, type PodData, volumeFiles } from './files.ts';
import { publishFiles } from './publish.ts';
import { checkMedium, isLimited, isOnDisk, type Volumes } from './volumes.ts';

/** The folder of the sandbox that volumes are mounted in. */
const PLACE = '/volumes';
/** The first version of Docker's API that mounts a path inside a volume safely (Docker 26). */
const SUBPATHS = 1.45;
/** Everybody may read: this user cannot give files to an fsGroup. */
const READABLE = 0o444;

/**
 * The volumes of a Pod for a user who may not own files of others: a member of the docker group,
 * or of Docker Desktop. emptyDirs are volumes of the engine, which creates, fills and removes them
 * as root; files of configMaps and the like are this user's, and readable in the whole Pod.
 */
export class EngineVolumes implements Volumes {
  readonly #engine: Engine;
  readonly #record: PodRecord;
  readonly #spec: PodSpec;

  constructor(engine: Engine, record: PodRecord) {
    this.#engine = engine;
    this.#record = record;
    this.#spec = record.pod.spec;
  }

  async make(): Promise<void> {
    mkdirSync(this.#record.volumes, { recursive: true, mode: 0o700 });
    for (const volume of this.#spec.volumes) {
      const { name, emptyDir, persistentVolumeClaim } = volume;
      if (persistentVolumeClaim) {
        throw new ExpectedError(
          `volume ${name}: a claim needs root or rootless Podman: use --engine podman, or an emptyDir`,
        );
      }
      if (!emptyDir) continue;
      checkMedium(volume);
      const labels = podLabels(this.#record).all;
      const tmpfs = emptyDir.medium === 'Memory' ? this.#tmpfs(emptyDir.sizeLimit) : undefined;
      await this.#engine.createVolume({ name: this.#nameOf(volume), labels, tmpfs });
    }
  }

  #tmpfs(limit: string | number | undefined): string {
    const size = limit === undefined ? '' : `,size=${Math.ceil(parseQuantity(limit))}`;
    return `nosuid,nodev,${this.#group === undefined ? 'mode=0777' : `mode=2777,gid=${this.#group}`}${size}`;
  }

  /** Opens the emptyDirs to all containers of the Pod. */
  async prepare(sandbox: string): Promise<void> {
    const names = this.#spec.volumes
      .filter(({ emptyDir }) => emptyDir && emptyDir.medium !== 'Memory')
      .map(({ name }) => name);
    if (names.length === 0) return;
    const mode = this.#group === undefined ? 0o777 : 0o2777;
    await this.#engine.unpack(sandbox, PLACE, folderTar(names, mode, this.#group ?? 0));
  }

  get sandboxMounts(): Mount[] {
    return this.#spec.volumes
      .filter(({ emptyDir }) => emptyDir)
      .map((volume) => ({
        source: this.#nameOf(volume),
        target: `${PLACE}/${volume.name}`,
        readOnly: false,
        volumePath: '',
      }));
  }

  publish(context: FieldContext, data: PodData): string[] {
    return this.#spec.volumes
      .filter((volume) => {
        const files = volumeFiles(volume, context, data)?.map((file) => ({
          ...file,
          mode: file.mode | READABLE,
        }));
        return files !== undefined && publishFiles(join(this.#record.volumes, volume.name), files);
      })
      .map(({ name }) => name);
  }

  mounts(_container: string, mounts: readonly VolumeMount[]): Mount[] {
    return mounts.map((mount) => ({
      ...this.#source(mount),
      target: mount.mountPath.startsWith('/') ? mount.mountPath : `/${mount.mountPath}`,
      readOnly: mount.readOnly || !isWritable(mount.name, this.#spec),
    }));
  }

  #source({ name, subPath = '' }: VolumeMount): Pick<Mount, 'source' | 'volumePath'> {
    const volume = this.#spec.volumes.find((one) => one.name === name);
    if (volume?.hostPath) {
      if (subPath === '') return { source: volume.hostPath.path };
      throw new ExpectedError(
        `subPath ${subPath} of hostPath ${name} needs root or rootless Podman`,
      );
    }
    if (volume?.emptyDir) {
      if (subPath !== '' && this.#engine.apiVersion < SUBPATHS) {
        throw new ExpectedError(
          `subPath ${subPath} of emptyDir ${name} needs Docker 26, root, or rootless Podman`,
        );
      }
      return { source: this.#nameOf(volume), volumePath: subPath };
    }
    // No container can write these folders.
    const base = realpathSync(join(this.#record.volumes, name));
    const real = realpathSync(join(base, subPath));
    if (real === base || real.startsWith(`${base}/`)) return { source: real };
    throw new ExpectedError(`subPath ${subPath} leads out of volume ${name}`);
  }

  async overfull(): Promise<{ readonly name: string; readonly limit: string } | undefined> {
    const sizes = await this.#engine.volumeSizes();
    const full = this.#spec.volumes.find((volume) => {
      const limit = isLimited(volume) ? volume.emptyDir?.sizeLimit : undefined;
      return limit !== undefined && (sizes.get(this.#nameOf(volume)) ?? 0) > parseQuantity(limit);
    });
    return full && { name: full.name, limit: String(full.emptyDir?.sizeLimit) };
  }

  async usage(): Promise<number> {
    const sizes = await this.#engine.volumeSizes();
    const own = this.#spec.volumes.filter(isOnDisk).map((one) => sizes.get(this.#nameOf(one)) ?? 0);
    return own.reduce((sum, bytes) => sum + bytes, 0);
  }

  #nameOf({ name }: Pick<Volume, 'name'>): string {
    return `pod-${this.#record.uid}-${name}`;
  }

  get #group(): number | undefined {
    return this.#spec.securityContext?.fsGroup;
  }
}
