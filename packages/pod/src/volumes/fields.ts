import { statfsSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { divided, parseQuantity } from '../manifest/schema/quantity.ts';
import type { ContainerSpec, PodObject, ResourceFieldRef } from '../manifest/types.ts';

/** The facts that downward API fields refer to. */
export interface FieldContext {
  readonly pod: PodObject;
  readonly uid: string;
  readonly podIP: string;
}

/** The node's name in the downward API; there is only this machine. */
const NODE_NAME = 'localhost';
const HOST_IP = '127.0.0.1';

/** The value of a field of the downward API; labels and annotations as `key="value"` lines. */
export function fieldValue(path: string, { pod, uid, podIP }: FieldContext): string {
  const { metadata, spec } = pod;
  const key = /^metadata\.(labels|annotations)\['([^']+)'\]$/.exec(path);
  if (key) return metadata[key[1] as 'labels' | 'annotations'][key[2] ?? ''] ?? '';
  switch (path) {
    case 'metadata.name':
    case 'metadata.namespace':
      return metadata[path.slice('metadata.'.length) as 'name' | 'namespace'];
    case 'metadata.uid':
      return uid;
    case 'metadata.labels':
    case 'metadata.annotations':
      return Object.entries(metadata[path.slice('metadata.'.length) as 'labels' | 'annotations'])
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
        .join('\n');
    case 'spec.nodeName':
      return NODE_NAME;
    case 'spec.serviceAccountName':
      return spec.serviceAccountName;
    case 'status.podIP':
    case 'status.podIPs':
      return podIP;
    case 'status.hostIP':
    case 'status.hostIPs':
      return HOST_IP;
    default:
      return '';
  }
}

/**
 * A container's request or limit in units of the divisor, rounded up as the kubelet does. If
 * a limit is not set, it is the machine's capacity.
 */
export function resourceValue(
  { resource, containerName, divisor }: ResourceFieldRef,
  pod: PodObject,
  own?: ContainerSpec,
): string {
  const all = [...pod.spec.initContainers, ...pod.spec.containers];
  const container = containerName ? all.find(({ name }) => name === containerName) : own;
  const [kind, name] = resource.split('.') as ['limits' | 'requests', keyof typeof CAPACITY];
  const { limits, requests } = container?.resources ?? {};
  const amount =
    kind === 'limits'
      ? (limits?.[name] ?? CAPACITY[name]())
      : (requests?.[name] ?? limits?.[name] ?? 0);
  return divided(parseQuantity(amount), parseQuantity(divisor));
}

/** The machine's resources: cores, and bytes. */
const CAPACITY = {
  cpu: availableParallelism,
  memory: totalmem,
  'ephemeral-storage': () => {
    const { blocks, bsize } = statfsSync('/');
    return blocks * bsize;
  },
};
