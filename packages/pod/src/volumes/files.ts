import { parseQuantity } from '../manifest/quantity.ts';
import type {
  ContainerSpec,
  DataObjects,
  DownwardSource,
  FileSource,
  PodObject,
  ResourceFieldRef,
  VolumeSpec,
  Workload,
} from '../manifest/types.ts';

/** One file of a configMap, secret, downwardAPI or projected volume. */
export interface VolumeFile {
  readonly path: string;
  readonly content: Buffer;
  readonly mode: number;
}

/** What the fields of a Pod can refer to. */
export interface FieldContext {
  readonly pod: PodObject;
  readonly podIP?: string;
}

const DEFAULT_MODE = 0o644;

/** The files of a volume; undefined for an emptyDir, which has none of its own. */
export function volumeFiles(
  volume: VolumeSpec,
  context: FieldContext,
  data: Pick<Workload, 'configMaps' | 'secrets'>,
): VolumeFile[] | undefined {
  const { configMap, secret, downwardAPI, projected } = volume;
  if (configMap) return dataFiles(configMap, data.configMaps, configMap.name);
  if (secret) return dataFiles(secret, data.secrets, secret.secretName);
  if (downwardAPI) return downwardFiles(downwardAPI, context);
  if (!projected) return undefined;
  const { defaultMode = DEFAULT_MODE } = projected;
  return projected.sources.flatMap((source) => [
    ...(source.configMap
      ? dataFiles({ defaultMode, ...source.configMap }, data.configMaps, source.configMap.name)
      : []),
    ...(source.secret
      ? dataFiles({ defaultMode, ...source.secret }, data.secrets, source.secret.name)
      : []),
    ...(source.downwardAPI ? downwardFiles({ defaultMode, ...source.downwardAPI }, context) : []),
  ]);
}

function dataFiles(
  { items, defaultMode = DEFAULT_MODE }: FileSource,
  objects: DataObjects,
  name: string,
): VolumeFile[] {
  const data = objects[name] ?? {};
  if (!items)
    return Object.entries(data).map(([path, content]) => ({ path, content, mode: defaultMode }));
  return items.flatMap(({ key, path, mode = defaultMode }) => {
    const content = data[key];
    return content ? [{ path, content, mode }] : [];
  });
}

function downwardFiles(
  { items = [], defaultMode = DEFAULT_MODE }: DownwardSource,
  context: FieldContext,
): VolumeFile[] {
  return items.map(({ path, fieldRef, resourceFieldRef, mode = defaultMode }) => {
    const text = fieldRef
      ? fieldValue(fieldRef.fieldPath, context)
      : resourceFieldRef
        ? resourceValue(resourceFieldRef, context.pod)
        : '';
    return { path, content: Buffer.from(text), mode };
  });
}

/** The value of a field of the downward API; maps as `key="value"` lines. */
export function fieldValue(path: string, { pod, podIP = '' }: FieldContext): string {
  const { metadata } = pod;
  const key = /^metadata\.(labels|annotations)\['([^']+)'\]$/.exec(path);
  if (key) return metadata[key[1] as 'labels' | 'annotations'][key[2] ?? ''] ?? '';
  switch (path) {
    case 'metadata.name':
      return metadata.name;
    case 'metadata.namespace':
      return metadata.namespace;
    case 'metadata.uid':
      return `${metadata.namespace}-${metadata.name}`;
    case 'metadata.labels':
    case 'metadata.annotations':
      return Object.entries(metadata[path.slice('metadata.'.length) as 'labels' | 'annotations'])
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
        .join('\n');
    case 'status.podIP':
    case 'status.podIPs':
      return podIP;
    case 'status.hostIP':
      return '127.0.0.1';
    case 'spec.nodeName':
      return 'localhost';
    case 'spec.serviceAccountName':
      return 'default';
    default:
      return '';
  }
}

/** A container's request or limit in units of the divisor, rounded up as the kubelet does. */
export function resourceValue(
  { resource, containerName, divisor = '1' }: ResourceFieldRef,
  pod: PodObject,
  own?: ContainerSpec,
): string {
  const all = [...(pod.spec.initContainers ?? []), ...pod.spec.containers];
  const container = containerName ? all.find(({ name }) => name === containerName) : own;
  const [kind, name] = resource.split('.') as ['limits' | 'requests', string];
  const amount =
    container?.resources?.[kind]?.[name] ??
    (kind === 'requests' ? container?.resources?.limits?.[name] : undefined);
  const value = parseQuantity(amount ?? '0') ?? 0;
  return String(Math.ceil(value / (parseQuantity(divisor === '0' ? '1' : divisor) ?? 1)));
}
