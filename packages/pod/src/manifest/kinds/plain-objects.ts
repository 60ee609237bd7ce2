import type { ClaimObject, NamedData, ServiceObject } from '../objects.ts';
import type {
  ClaimManifest,
  ConfigMapManifest,
  SecretManifest,
  ServiceManifest,
} from '../schema/object-schema.ts';
import { parseQuantity } from '../schema/quantity.ts';

/** Reads a Service. */
export function serviceOf({ metadata, spec }: ServiceManifest): ServiceObject {
  const { name, namespace, labels, annotations } = metadata;
  return {
    metadata: { name, namespace, labels, annotations },
    selector: spec.selector,
    ports: spec.ports.map((port) => ({ ...port, targetPort: port.targetPort || port.port })),
    headless: spec.clusterIP === 'None',
    publishNotReadyAddresses: spec.publishNotReadyAddresses,
  };
}

/** Reads the data of a ConfigMap. */
export function configMapData({ metadata, data, binaryData }: ConfigMapManifest): NamedData {
  return {
    name: metadata.name,
    namespace: metadata.namespace,
    data: { ...bytes(data), ...binaryData },
  };
}

/** Reads the data of a Secret; `stringData` overrides `data`. */
export function secretData({ metadata, data, stringData }: SecretManifest): NamedData {
  return {
    name: metadata.name,
    namespace: metadata.namespace,
    data: { ...data, ...bytes(stringData) },
  };
}

/** Reads a claim. */
export function claimOf({ metadata: { name, namespace }, spec }: ClaimManifest): ClaimObject {
  return { name, namespace, size: parseQuantity(spec.resources.requests.storage) };
}

function bytes(data: Readonly<Record<string, string>>): Record<string, Buffer> {
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value)]));
}
