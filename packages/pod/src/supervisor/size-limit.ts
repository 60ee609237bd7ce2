import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseQuantity } from '../manifest/quantity.ts';
import type { PodObject } from '../manifest/types.ts';

/** Between two looks, in milliseconds: that of the kubelet's eviction manager. */
const INTERVAL = 10_000;

/**
 * Measures the emptyDirs that have a sizeLimit, and tells once which is over it: its Pod is then
 * evicted. Returns the function that ends it. A limit of memory volumes is that of their tmpfs.
 */
export function watchSizeLimits(
  directory: string,
  pod: PodObject,
  onExceeded: (message: string) => void,
): () => void {
  const limits = (pod.spec.volumes ?? []).flatMap(({ name, emptyDir }) =>
    emptyDir?.sizeLimit === undefined || emptyDir.medium === 'Memory'
      ? []
      : [{ name, text: emptyDir.sizeLimit, limit: parseQuantity(emptyDir.sizeLimit) ?? 0 }],
  );
  if (limits.length === 0) return () => {};
  const timer = setInterval(() => {
    const over = limits.find(({ name, limit }) => usage(join(directory, name)) > limit);
    if (!over) return;
    clearInterval(timer);
    onExceeded(`Usage of EmptyDir volume "${over.name}" exceeds the limit "${over.text}".`);
  }, INTERVAL);
  return () => clearInterval(timer);
}

/** The bytes on disk of everything below a directory; what vanishes meanwhile counts nothing. */
function usage(path: string): number {
  try {
    const stats = lstatSync(path);
    const own = stats.blocks * 512;
    if (!stats.isDirectory()) return own;
    return readdirSync(path).reduce((sum, name) => sum + usage(join(path, name)), own);
  } catch {
    return 0;
  }
}
