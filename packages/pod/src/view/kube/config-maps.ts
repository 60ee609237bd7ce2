import type { PodSpec } from '../../manifest/types.ts';

/** Finds the ConfigMaps that a Pod mounts: their changes reach it while it runs. */
export function mountedConfigMaps({ volumes }: Pick<PodSpec, 'volumes'>): Set<string> {
  const sources = volumes.flatMap((volume) => [volume, ...(volume.projected?.sources ?? [])]);
  return new Set(sources.flatMap(({ configMap }) => configMap?.name ?? []));
}
