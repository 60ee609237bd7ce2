import type { JobPlace } from './job-pods.ts';
import type { PodSpec } from './pod-table.ts';
import type { Path } from './reader.ts';

/** Whatever makes Pods of a template. A CronJob makes Jobs. */
export type ControllerKind = 'Deployment' | 'ReplicaSet' | 'DaemonSet' | 'StatefulSet' | 'Job';

export interface Metadata {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** One Pod to run, whatever kind of object asked for it. */
export interface PodObject {
  readonly metadata: Metadata;
  readonly spec: PodSpec;
  /** What made it; undefined for a bare Pod. */
  readonly owner?: { readonly kind: ControllerKind; readonly name: string } | undefined;
  /** Its place in the Job that made it. */
  readonly job?: JobPlace | undefined;
  /** The Pod that must be Ready before this one starts (StatefulSet). */
  readonly after?: string | undefined;
}

export interface ServicePort {
  readonly name?: string | undefined;
  readonly port: number;
  readonly targetPort: number | string;
  readonly nodePort?: number | undefined;
}

export interface ServiceObject {
  readonly metadata: Metadata;
  readonly selector: Readonly<Record<string, string>>;
  readonly ports: readonly ServicePort[];
  readonly headless: boolean;
  readonly publishNotReadyAddresses: boolean;
}

/** The data of ConfigMaps and Secrets by name; Secrets already decoded. */
export type DataObjects = Readonly<Record<string, Readonly<Record<string, Buffer>>>>;

/** One ConfigMap or Secret. */
export interface NamedData {
  readonly name: string;
  readonly namespace: string;
  readonly data: Readonly<Record<string, Buffer>>;
}

/** Everything that a set of manifests asks for, defaults set and references checked. */
export interface Workload {
  readonly pods: readonly PodObject[];
  readonly services: readonly ServiceObject[];
  readonly configMaps: readonly NamedData[];
  readonly secrets: readonly NamedData[];
  /** What whoever applies them should know, a sentence each. */
  readonly notes: readonly string[];
}

/** A Pod with the place of its spec in the manifest, for messages. */
export interface PlacedPod {
  readonly pod: PodObject;
  readonly message: (path: Path, text: string) => string;
}

export interface PlacedService {
  readonly service: ServiceObject;
  readonly message: (path: Path, text: string) => string;
}

/** The objects of one namespace, by name. */
export function inNamespace(objects: readonly NamedData[], namespace: string): DataObjects {
  const own = objects.filter((object) => object.namespace === namespace);
  return Object.fromEntries(own.map(({ name, data }) => [name, data]));
}
