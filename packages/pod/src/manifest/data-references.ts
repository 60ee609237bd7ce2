import type { ContainerSpec } from './container-table.ts';
import type { PodObject } from './objects.ts';
import type { Path } from './reader.ts';
import { type Fault, hint, type References } from './reference-faults.ts';

export function environment(
  container: ContainerSpec,
  pod: PodObject,
  all: References,
  at: Path,
  fault: Fault,
) {
  for (const [index, { configMapRef, secretRef }] of container.envFrom.entries()) {
    const path = [...at, 'envFrom', index];
    if (configMapRef)
      reference('ConfigMap', configMapRef, undefined, pod, all, [...path, 'configMapRef'], fault);
    if (secretRef)
      reference('Secret', secretRef, undefined, pod, all, [...path, 'secretRef'], fault);
  }
  for (const [index, { valueFrom }] of container.env.entries()) {
    const path = [...at, 'env', index, 'valueFrom'];
    const { configMapKeyRef: map, secretKeyRef: secret } = valueFrom ?? {};
    if (map) reference('ConfigMap', map, map.key, pod, all, [...path, 'configMapKeyRef'], fault);
    if (secret) reference('Secret', secret, secret.key, pod, all, [...path, 'secretKeyRef'], fault);
    containerReference(
      valueFrom?.resourceFieldRef?.containerName,
      pod,
      [...path, 'resourceFieldRef'],
      fault,
    );
  }
}

function containerReference(
  name: string | undefined,
  { spec }: PodObject,
  path: Path,
  fault: Fault,
) {
  const known = [...spec.initContainers, ...spec.containers].map((container) => container.name);
  if (name === undefined || known.includes(name)) return;
  fault(
    [...path, 'containerName'],
    `${JSON.stringify(name)} is not a container of the Pod${hint(name, known)}`,
  );
}

function reference(
  kind: 'ConfigMap' | 'Secret',
  { name, optional }: { readonly name: string; readonly optional: boolean },
  key: string | undefined,
  { metadata: { namespace } }: PodObject,
  all: References,
  path: Path,
  fault: Fault,
) {
  if (optional || all.faulty.has(`${kind}/${namespace}/${name}`)) return;
  const objects = (kind === 'ConfigMap' ? all.configMaps : all.secrets).filter(
    (object) => object.namespace === namespace,
  );
  const object = objects.find((one) => one.name === name);
  if (!object) {
    const names = objects.map((one) => one.name);
    fault(
      [...path, 'name'],
      `${JSON.stringify(name)} is not a ${kind} of these manifests${hint(name, names)}`,
    );
  } else if (key !== undefined && !Object.hasOwn(object.data, key)) {
    const keys = Object.keys(object.data);
    fault(
      [...path, 'key'],
      `${JSON.stringify(key)} is not a key of ${kind} ${name}${hint(key, keys)}`,
    );
  }
}

export function volumes(pod: PodObject, all: References, fault: Fault) {
  for (const [index, volume] of pod.spec.volumes.entries()) {
    const at: Path = ['volumes', index];
    const { configMap, secret, downwardAPI, projected } = volume;
    if (configMap)
      volumeSource(
        'ConfigMap',
        configMap,
        configMap.name,
        pod,
        all,
        [...at, 'configMap'],
        'name',
        fault,
      );
    if (secret)
      volumeSource(
        'Secret',
        secret,
        secret.secretName,
        pod,
        all,
        [...at, 'secret'],
        'secretName',
        fault,
      );
    for (const [item, { resourceFieldRef }] of (downwardAPI?.items ?? []).entries()) {
      containerReference(
        resourceFieldRef?.containerName,
        pod,
        [...at, 'downwardAPI', 'items', item, 'resourceFieldRef'],
        fault,
      );
    }
    for (const [part, source] of (projected?.sources ?? []).entries()) {
      const path = [...at, 'projected', 'sources', part];
      if (source.configMap)
        volumeSource(
          'ConfigMap',
          source.configMap,
          source.configMap.name,
          pod,
          all,
          [...path, 'configMap'],
          'name',
          fault,
        );
      if (source.secret)
        volumeSource(
          'Secret',
          source.secret,
          source.secret.name,
          pod,
          all,
          [...path, 'secret'],
          'name',
          fault,
        );
    }
  }
}

function volumeSource(
  kind: 'ConfigMap' | 'Secret',
  source: {
    readonly optional: boolean;
    readonly items?: readonly { readonly key: string }[] | undefined;
  },
  name: string,
  pod: PodObject,
  all: References,
  path: Path,
  nameField: string,
  fault: Fault,
) {
  const { optional } = source;
  let known = true;
  reference(kind, { name, optional }, undefined, pod, all, path, (_, message) => {
    known = false;
    fault([...path, nameField], message);
  });
  if (!known) return;
  for (const [index, { key }] of (source.items ?? []).entries()) {
    reference(kind, { name, optional }, key, pod, all, path, (_, message) =>
      fault([...path, 'items', index, 'key'], message),
    );
  }
}
