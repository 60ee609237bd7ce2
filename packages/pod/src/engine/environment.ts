import { expand } from '../manifest/expand.ts';
import type { ContainerSpec, Workload } from '../manifest/types.ts';
import { type FieldContext, fieldValue, resourceValue } from '../volumes/files.ts';

/** The environment of a container: `envFrom` in order, then `env`, each may refer to those before. */
export function environmentOf(
  container: ContainerSpec,
  context: FieldContext,
  { configMaps, secrets }: Pick<Workload, 'configMaps' | 'secrets'>,
): ReadonlyMap<string, string> {
  const variables = new Map<string, string>();
  for (const { prefix = '', configMapRef, secretRef } of container.envFrom ?? []) {
    const data = configMapRef
      ? configMaps[configMapRef.name]
      : secretRef
        ? secrets[secretRef.name]
        : undefined;
    for (const [key, value] of Object.entries(data ?? {}))
      variables.set(prefix + key, value.toString());
  }
  for (const { name, value, valueFrom } of container.env ?? []) {
    const { configMapKeyRef, secretKeyRef, fieldRef, resourceFieldRef } = valueFrom ?? {};
    let found: string | undefined;
    if (configMapKeyRef)
      found = configMaps[configMapKeyRef.name]?.[configMapKeyRef.key]?.toString();
    else if (secretKeyRef) found = secrets[secretKeyRef.name]?.[secretKeyRef.key]?.toString();
    else if (fieldRef) found = fieldValue(fieldRef.fieldPath, context);
    else if (resourceFieldRef) found = resourceValue(resourceFieldRef, context.pod, container);
    else found = expand(value ?? '', variables);
    if (found !== undefined) variables.set(name, found);
  }
  return variables;
}
