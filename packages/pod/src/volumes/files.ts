import type { DataObjects, PodSpec, Projection, Volume } from '../manifest/types.ts';
import { type FieldContext, fieldValue, resourceValue } from './fields.ts';
import { ownValue } from './own-value.ts';

/** One file of a configMap, secret, downwardAPI or projected volume. */
export interface VolumeFile {
  readonly path: string;
  readonly content: Buffer;
  readonly mode: number;
}

/** ConfigMaps and Secrets of the Pod's namespace. */
export interface PodData {
  readonly configMaps: DataObjects;
  readonly secrets: DataObjects;
}

type Items = NonNullable<Projection['configMap']>['items'];
type DownwardItems = NonNullable<Projection['downwardAPI']>['items'];

/** The files of a volume; undefined for an emptyDir or a hostPath, which have none of their own. */
export function volumeFiles(
  volume: Volume,
  context: FieldContext,
  data: PodData,
): VolumeFile[] | undefined {
  const { configMap, secret, downwardAPI, projected } = volume;
  if (configMap)
    return dataFiles(
      configMap.items,
      ownValue(data.configMaps, configMap.name),
      configMap.defaultMode,
    );
  if (secret)
    return dataFiles(secret.items, ownValue(data.secrets, secret.secretName), secret.defaultMode);
  if (downwardAPI) return downwardFiles(downwardAPI.items, context, downwardAPI.defaultMode);
  return projected?.sources.flatMap((source) =>
    projectedFiles(source, context, data, projected.defaultMode),
  );
}

function projectedFiles(
  { configMap, secret, downwardAPI }: Projection,
  context: FieldContext,
  data: PodData,
  mode: number,
): VolumeFile[] {
  if (configMap) return dataFiles(configMap.items, ownValue(data.configMaps, configMap.name), mode);
  if (secret) return dataFiles(secret.items, ownValue(data.secrets, secret.name), mode);
  return downwardFiles(downwardAPI?.items ?? [], context, mode);
}

function dataFiles(
  items: Items,
  data: Readonly<Record<string, Buffer>> = {},
  defaultMode: number,
): VolumeFile[] {
  if (!items) {
    return Object.entries(data).map(([path, content]) => ({ path, content, mode: defaultMode }));
  }
  return items.flatMap(({ key, path, mode = defaultMode }) => {
    const content = ownValue(data, key);
    return content ? [{ path, content, mode }] : [];
  });
}

function downwardFiles(
  items: DownwardItems,
  context: FieldContext,
  defaultMode: number,
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

/** Whether a mount of this volume can be written by its container. */
export function isWritable(name: string, { volumes }: PodSpec): boolean {
  const volume = volumes.find((one) => one.name === name);
  const claim = volume?.persistentVolumeClaim;
  if (claim) return !claim.readOnly;
  return volume?.emptyDir !== undefined || volume?.hostPath !== undefined;
}
