import { ExpectedError } from '@sidekit/core/tool';
import { expand } from '../manifest/expand.ts';
import { relativePath } from '../manifest/schema/rules.ts';
import type { VolumeMount } from '../manifest/types.ts';

/**
 * Gives each mount with a subPathExpr its subPath: the references to the container's variables are
 * replaced (kubelet: ExpandContainerVolumeMounts).
 * @throws {ExpectedError} if a variable is missing or empty, or leads out of the volume.
 */
export function expandSubPaths(
  mounts: readonly VolumeMount[],
  environment: ReadonlyMap<string, string>,
): VolumeMount[] {
  return mounts.map((mount) => {
    const { mountPath, subPathExpr } = mount;
    if (!subPathExpr) return mount;
    const missing = new Set<string>();
    const subPath = expand(subPathExpr, (name) => {
      const value = environment.get(name);
      if (!value) missing.add(name);
      return value;
    });
    const rule =
      missing.size > 0
        ? `the variable ${[...missing].join(', ')} is missing or empty`
        : relativePath(subPath)?.rule;
    if (rule === undefined) return { ...mount, subPath };
    throw new ExpectedError(`subPathExpr ${subPathExpr} of ${mountPath}: ${rule}`);
  });
}
