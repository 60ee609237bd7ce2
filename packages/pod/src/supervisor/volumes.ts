import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { ExpectedError } from '@sidekit/core';
import { parseQuantity } from '../manifest/quantity.ts';
import type { PodObject, Workload } from '../manifest/types.ts';
import { volumeFiles } from '../volumes/files.ts';
import { makeEmptyDirectory, publishFiles } from '../volumes/publish.ts';

type Data = Pick<Workload, 'configMaps' | 'secrets'>;

/** Makes every volume of a Pod, a folder each; memory volumes are mounts of tmpfs. */
export function makeVolumes(directory: string, pod: PodObject, data: Data): void {
  const group = pod.spec.securityContext?.fsGroup;
  for (const { name, emptyDir } of pod.spec.volumes ?? []) {
    if (!emptyDir) continue;
    const path = join(directory, name);
    mkdirSync(path, { recursive: true });
    if (emptyDir.medium === 'Memory') mountMemory(path, emptyDir.sizeLimit);
    makeEmptyDirectory(path, group);
    for (const { volumeMounts = [] } of [
      ...(pod.spec.initContainers ?? []),
      ...pod.spec.containers,
    ]) {
      for (const { name: mounted, subPath } of volumeMounts) {
        if (mounted === name && subPath) makeEmptyDirectory(join(path, subPath), group);
      }
    }
  }
  publishVolumes(directory, pod, data);
}

/** Writes the files of configMaps, secrets and the downward API, anew where they changed. */
export function publishVolumes(directory: string, pod: PodObject, data: Data, podIP = ''): void {
  for (const volume of pod.spec.volumes ?? []) {
    const files = volumeFiles(volume, { pod, podIP }, data);
    if (files) publishFiles(join(directory, volume.name), files, pod.spec.securityContext?.fsGroup);
  }
}

/** Ends the mounts, so that the folders can be removed. */
export function releaseVolumes(directory: string, pod: PodObject): void {
  for (const { name, emptyDir } of pod.spec.volumes ?? []) {
    if (emptyDir?.medium !== 'Memory') continue;
    try {
      execFileSync('umount', [join(directory, name)], { stdio: 'ignore' });
    } catch {}
  }
}

function mountMemory(path: string, limit: string | number | undefined) {
  const size = limit === undefined ? undefined : parseQuantity(limit);
  try {
    execFileSync(
      'mount',
      [
        '-t',
        'tmpfs',
        '-o',
        `nosuid,nodev${size === undefined ? '' : `,size=${Math.ceil(size)}`}`,
        'tmpfs',
        path,
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
  } catch {
    throw new ExpectedError(
      `emptyDir with medium Memory at ${path} needs root on Linux: leave medium out`,
    );
  }
}
