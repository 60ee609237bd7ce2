import { workloadName } from '../manifest/objects.ts';
import type { PodObject, Workload } from '../manifest/types.ts';
import { isWritable } from '../volumes/files.ts';
import { pastProxies, proxies } from './proxies.ts';
import { type Configured, configured, containersOf, options } from './settings.ts';

/** Warns about manifests that are valid and do not work in practice; a sentence each. */
export function advice(workload: Workload): string[] {
  const lines = workload.pods.flatMap((pod) => {
    const containers = configured(pod, workload);
    return [
      ...sharedPorts(pod),
      ...proxies(pod, containers, workload),
      ...volumes(pod),
      ...globs(containers),
    ].map((line) => `${workloadName(pod)}: ${line}`);
  });
  // Replicas have the same faults.
  return [...new Set([...lines, ...pastProxies(workload)])];
}

/** Containers of a Pod share one network: a port has one owner. */
function sharedPorts({ spec }: PodObject): string[] {
  const owners = new Map<string, string>();
  return containersOf(spec).flatMap(({ name, ports }) =>
    ports.flatMap(({ containerPort, protocol }) => {
      const key = `${containerPort}/${protocol}`;
      const owner = owners.get(key);
      owners.set(key, name);
      return owner === undefined || owner === name
        ? []
        : [
            `containers ${owner} and ${name} both declare port ${key}, which only one can listen on`,
          ];
    }),
  );
}

/** emptyDirs are empty: a volume that nobody can write stays so. */
function volumes({ spec }: PodObject): string[] {
  const containers = [...spec.initContainers, ...spec.containers];
  return spec.volumes.flatMap(({ name }) => {
    const mounts = containers.flatMap(({ volumeMounts }) =>
      volumeMounts.filter((mount) => mount.name === name),
    );
    if (mounts.length === 0) return [`volume ${name} is mounted by no container`];
    const empty = spec.volumes.find((one) => one.name === name)?.emptyDir !== undefined;
    return empty && isWritable(name, spec) && mounts.every(({ readOnly }) => readOnly)
      ? [`emptyDir ${name} is mounted read-only by every container: it stays empty`]
      : [];
  });
}

/** A log shipper whose files are in none of its volumes sees nothing of other containers. */
function globs(containers: readonly Configured[]): string[] {
  return containers.flatMap((one) => {
    const { image, name, volumeMounts } = one.container;
    if (!/(^|\/)adapter([:@]|$)/.test(image)) return [];
    return options(one, '--include', 'ADAPTER_INCLUDE')
      .filter((glob) => glob.startsWith('/'))
      .flatMap((glob) => {
        // Up to the first wildcard: a mount may be below it.
        const fixed = glob.replace(/[*?[{].*$/s, '');
        const inside = volumeMounts.some(({ mountPath }) => {
          const folder = `${mountPath.replace(/\/$/, '')}/`;
          return `${glob}/`.startsWith(folder) || (fixed !== glob && folder.startsWith(fixed));
        });
        return inside
          ? []
          : [`container ${name} reads ${glob}, which is in none of its volumeMounts`];
      });
  });
}
