import { expand } from '../manifest/expand.ts';
import type { ContainerSpec } from '../manifest/types.ts';
import { type FieldContext, fieldValue, resourceValue } from '../volumes/fields.ts';
import type { PodData } from '../volumes/files.ts';
import { ownValue } from '../volumes/own-value.ts';

/**
 * Returns the environment of a container: Service variables, then `envFrom` in order, then `env`, in which
 * each may refer to those before it.
 */
export function environmentOf(
  container: ContainerSpec,
  context: FieldContext,
  { configMaps, secrets }: PodData,
  services: ReadonlyMap<string, string> = new Map(),
): ReadonlyMap<string, string> {
  const variables = new Map(services);
  for (const { prefix = '', configMapRef, secretRef } of container.envFrom) {
    const data =
      (configMapRef && ownValue(configMaps, configMapRef.name)) ??
      (secretRef && ownValue(secrets, secretRef.name));
    for (const [key, value] of Object.entries(data ?? {})) {
      variables.set(prefix + key, value.toString());
    }
  }
  for (const { name, value = '', valueFrom } of container.env) {
    const found = valueFrom
      ? sourceValue(valueFrom, container, context, { configMaps, secrets })
      : expand(value, (other) => variables.get(other));
    // An optional reference without a target gives no variable.
    if (found !== undefined) variables.set(name, found);
  }
  return variables;
}

function sourceValue(
  source: NonNullable<ContainerSpec['env'][number]['valueFrom']>,
  container: ContainerSpec,
  context: FieldContext,
  { configMaps, secrets }: PodData,
): string | undefined {
  const { configMapKeyRef: map, secretKeyRef: secret, fieldRef, resourceFieldRef } = source;
  if (map) return keyOf(configMaps, map)?.toString();
  if (secret) return keyOf(secrets, secret)?.toString();
  if (fieldRef) return fieldValue(fieldRef.fieldPath, context);
  return resourceFieldRef && resourceValue(resourceFieldRef, context.pod, container);
}

function keyOf(
  objects: PodData['configMaps'],
  { name, key }: { readonly name: string; readonly key: string },
): Buffer | undefined {
  const data = ownValue(objects, name);
  return data && ownValue(data, key);
}
