import type { Path } from '@sidekit/core/schema';
import type { PodObject } from '../objects.ts';
import type { ContainerSpec } from '../schema/container-schema.ts';
import {
  type Fault,
  missingClaim,
  missingObject,
  type References,
  unknownName,
} from './reference-faults.ts';

/** Checks the references of a container's environment to ConfigMaps, Secrets and containers. */
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
  fault([...path, 'containerName'], unknownName(name, 'is not a container of the Pod', known));
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
    fault([...path, 'name'], missingObject(kind, name, names));
  } else if (key !== undefined && !Object.hasOwn(object.data, key)) {
    const keys = Object.keys(object.data);
    fault([...path, 'key'], {
      category: 'unsupported',
      ...unknownName(key, `is not a key of ${kind} ${name}`, keys),
    });
  }
}

/** Checks the references of a Pod's volumes to ConfigMaps, Secrets, claims and containers. */
export function volumes(pod: PodObject, all: References, fault: Fault) {
  for (const [index, volume] of pod.spec.volumes.entries()) {
    const at: Path = ['volumes', index];
    const { configMap, secret, downwardAPI, projected, persistentVolumeClaim: claim } = volume;
    if (claim) {
      const { namespace } = pod.metadata;
      const known = all.claims.filter((one) => one.namespace === namespace).map(({ name }) => name);
      if (
        !known.includes(claim.claimName) &&
        !all.faulty.has(`PersistentVolumeClaim/${namespace}/${claim.claimName}`)
      ) {
        fault([...at, 'persistentVolumeClaim', 'claimName'], missingClaim(claim.claimName, known));
      }
    }
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
  reference(kind, { name, optional }, undefined, pod, all, path, (_, violation) => {
    known = false;
    fault([...path, nameField], violation);
  });
  if (!known) return;
  for (const [index, { key }] of (source.items ?? []).entries()) {
    reference(kind, { name, optional }, key, pod, all, path, (_, violation) =>
      fault([...path, 'items', index, 'key'], violation),
    );
  }
}
