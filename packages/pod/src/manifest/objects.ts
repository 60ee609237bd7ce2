import type { Collect } from '@sidekit/core/schema';
import type { JobPlace } from './kinds/job-pods.ts';
import type { PodSpec } from './schema/pod-schema.ts';

/** The kinds that make Pods from a template. A CronJob makes Jobs. */
export type ControllerKind =
  | 'Deployment'
  | 'ReplicaSet'
  | 'ReplicationController'
  | 'DaemonSet'
  | 'StatefulSet'
  | 'Job';

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
  /** Its controller; undefined for a bare Pod. */
  readonly owner?: { readonly kind: ControllerKind; readonly name: string } | undefined;
  /** Its place in the Job that made it. */
  readonly job?: JobPlace | undefined;
  /** The Pod that must be Ready before this one starts (StatefulSet). */
  readonly after?: string | undefined;
}

/** Names a Pod, or the workload that it comes from: what is wrong with one replica is wrong with all. */
export function workloadName({ owner, metadata }: PodObject): string {
  return owner ? `${owner.kind} ${owner.name}` : `Pod ${metadata.name}`;
}

export interface ServicePort {
  readonly name?: string | undefined;
  readonly port: number;
  readonly targetPort: number | string;
  readonly nodePort?: number | undefined;
  readonly appProtocol?: string | undefined;
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

/** A claim of persistent storage: a folder that is kept until `pod down --volumes`. */
export interface ClaimObject {
  readonly name: string;
  readonly namespace: string;
  /** The requested size, in bytes. It is not enforced, as by most storage classes of one machine. */
  readonly size: number;
}

/** A controller of Pods; it may have none. */
export interface ControllerRef {
  readonly kind: ControllerKind;
  readonly namespace: string;
  readonly name: string;
}

/** Everything that a set of manifests asks for, defaults set and references checked. */
export interface Workload {
  readonly pods: readonly PodObject[];
  /** Every controller, also one that is scaled to zero. */
  readonly controllers: readonly ControllerRef[];
  readonly services: readonly ServiceObject[];
  readonly configMaps: readonly NamedData[];
  readonly secrets: readonly NamedData[];
  /** Every claim that a Pod may refer to, those of StatefulSets' templates included. */
  readonly claims: readonly ClaimObject[];
  /** Notes for the user, a sentence each: what was skipped. */
  readonly notes: readonly string[];
  /** The parts of the manifests that reach the host, a sentence each. */
  readonly hostAccess: readonly string[];
}

/** A Pod with a reporter of faults by their path in its spec. */
export interface PlacedPod {
  readonly pod: PodObject;
  readonly report: Collect;
}

/** A Service with a reporter of faults by their path in the object. */
export interface PlacedService {
  readonly service: ServiceObject;
  readonly report: Collect;
}

/** The objects of one namespace, by name. */
export function inNamespace(objects: readonly NamedData[], namespace: string): DataObjects {
  const own = objects.filter((object) => object.namespace === namespace);
  return Object.fromEntries(own.map(({ name, data }) => [name, data]));
}
