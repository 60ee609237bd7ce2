import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { ExpectedError } from '@sidekit/core/tool';
import { parseQuantity } from '../manifest/quantity.ts';
import type { PodSpec, Volume, VolumeMount } from '../manifest/types.ts';
import type { FieldContext } from './fields.ts';
import { isWritable, type PodData, volumeFiles } from './files.ts';
import { publishFiles } from './publish.ts';

/** A file or folder of the host as it is mounted into a container. */
export interface Mount {
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
}

/** The volumes of one Pod: a folder each under one folder of the host. */
export class PodVolumes {
  readonly #root: string;
  readonly #spec: PodSpec;

  constructor(root: string, spec: PodSpec) {
    this.#root = root;
    this.#spec = spec;
  }

  /** Creates all volumes. @throws {ExpectedError} if one cannot be created. */
  make(): void {
    mkdirSync(this.#root, { recursive: true, mode: 0o711 });
    const group = this.#spec.securityContext?.fsGroup;
    for (const volume of this.#spec.volumes) {
      const path = join(this.#root, volume.name);
      if (volume.hostPath) {
        checkHostPath(volume.hostPath);
        continue;
      }
      mkdirSync(path, { recursive: true, mode: 0o755 });
      if (!volume.emptyDir) continue;
      if (volume.emptyDir.medium === 'Memory') mountMemory(path, volume.emptyDir.sizeLimit);
      openToAll(path, group);
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
        const group = this.#spec.securityContext?.fsGroup;
        return files !== undefined && publishFiles(join(this.#root, volume.name), files, group);
      })
      .map(({ name }) => name);
  }

  /** Lists a container's mounts. @throws {ExpectedError} for a subPath that leads out of its volume. */
  mounts(mounts: readonly VolumeMount[]): Mount[] {
    return mounts.map((mount) => ({
      source: this.#source(mount),
      target: mount.mountPath.startsWith('/') ? mount.mountPath : `/${mount.mountPath}`,
      readOnly: mount.readOnly || !isWritable(mount.name, this.#spec),
    }));
  }

  #source({ name, subPath }: VolumeMount): string {
    const hostPath = this.#spec.volumes.find((volume) => volume.name === name)?.hostPath?.path;
    const base = hostPath ?? join(this.#root, name);
    if (!subPath) return base;
    const path = join(base, subPath);
    if (!existsSync(path)) {
      mkdirSync(path, { recursive: true });
      if (isWritable(name, this.#spec)) openToAll(path, this.#spec.securityContext?.fsGroup);
    }
    // A link that a container has left in the volume must not lead to the host's files.
    const real = realpathSync(path);
    const root = realpathSync(base);
    if (real !== root && !real.startsWith(`${root}/`)) {
      throw new ExpectedError(`subPath ${subPath} of volume ${name} leads out of the volume`);
    }
    return real;
  }

  /** The emptyDir that holds more than its sizeLimit, if there is one; memory has its own limit. */
  overfull(): { readonly name: string; readonly limit: string } | undefined {
    for (const { name, emptyDir } of this.#spec.volumes) {
      if (emptyDir?.sizeLimit === undefined || emptyDir.medium === 'Memory') continue;
      if (usage(join(this.#root, name)) > parseQuantity(emptyDir.sizeLimit)) {
        return { name, limit: String(emptyDir.sizeLimit) };
      }
    }
    return undefined;
  }

  get limited(): boolean {
    return this.#spec.volumes.some(
      ({ emptyDir }) => emptyDir?.sizeLimit !== undefined && emptyDir.medium !== 'Memory',
    );
  }

  /** Unmounts and removes everything. */
  remove(): void {
    for (const { name, emptyDir } of this.#spec.volumes) {
      const path = join(this.#root, name);
      if (emptyDir?.medium !== 'Memory' || !isMountPoint(path)) continue;
      execFileSync('umount', ['-l', path], { stdio: 'ignore' });
    }
    rmSync(this.#root, { recursive: true, force: true });
  }
}

/** An emptyDir is open to every container of the Pod, and to fsGroup if there is one. */
function openToAll(path: string, group: number | undefined) {
  if (group !== undefined) chownSync(path, 0, group);
  chmodSync(path, group === undefined ? 0o777 : 0o2777);
}

function isMountPoint(path: string): boolean {
  const own = statSync(path, { throwIfNoEntry: false });
  const parent = statSync(join(path, '..'), { throwIfNoEntry: false });
  return own !== undefined && parent !== undefined && own.dev !== parent.dev;
}

function mountMemory(path: string, limit: string | number | undefined) {
  if (isMountPoint(path)) return;
  const size = limit === undefined ? '' : `,size=${Math.ceil(parseQuantity(limit))}`;
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `nosuid,nodev${size}`, 'tmpfs', path], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
  } catch {
    throw new ExpectedError(
      'an emptyDir with medium: Memory needs root on Linux: leave medium out here',
    );
  }
}

function checkHostPath({ path, type }: NonNullable<Volume['hostPath']>) {
  const found = statSync(path, { throwIfNoEntry: false });
  const fail = (what: string) => {
    throw new ExpectedError(`hostPath type check failed: ${path} is not a ${what}`);
  };
  if (type === 'DirectoryOrCreate' && !found) mkdirSync(path, { recursive: true, mode: 0o755 });
  else if (type === 'FileOrCreate' && !found) writeFileSync(path, '', { mode: 0o644 });
  else if (type.startsWith('Directory') && !found?.isDirectory()) fail('directory');
  else if (type.startsWith('File') && !found?.isFile()) fail('file');
  else if (type === 'Socket' && !found?.isSocket()) fail('socket');
  else if (type === '' && !found) throw new ExpectedError(`hostPath ${path} does not exist`);
}

/** Returns the bytes that a folder holds; a file that disappears meanwhile counts as 0. */
function usage(path: string): number {
  let total = 0;
  for (const name of readdirSync(path, { recursive: true }) as string[]) {
    const found = lstatSync(join(path, name), { throwIfNoEntry: false });
    if (found?.isFile()) total += found.blocks * 512;
  }
  return total;
}
