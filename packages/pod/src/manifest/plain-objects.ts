import type { ConfigMapManifest, SecretManifest, ServiceManifest } from './object-tables.ts';
import type { NamedData, ServiceObject } from './objects.ts';

/** What is used of it. */
export function serviceOf({ metadata, spec }: ServiceManifest): ServiceObject {
  const { name, namespace, labels, annotations } = metadata;
  return {
    metadata: { name, namespace, labels, annotations },
    selector: spec.selector,
    ports: spec.ports.map((port) => ({ ...port, targetPort: port.targetPort ?? port.port })),
    headless: spec.clusterIP === 'None',
    publishNotReadyAddresses: spec.publishNotReadyAddresses,
  };
}

/** What is used of it. */
export function configMapData({ metadata, data, binaryData }: ConfigMapManifest): NamedData {
  return {
    name: metadata.name,
    namespace: metadata.namespace,
    data: { ...bytes(data), ...binaryData },
  };
}

/** What is used of it. */
export function secretData({ metadata, data, stringData }: SecretManifest): NamedData {
  return {
    name: metadata.name,
    namespace: metadata.namespace,
    data: { ...data, ...bytes(stringData) },
  };
}

function bytes(data: Readonly<Record<string, string>>): Record<string, Buffer> {
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value)]));
}
