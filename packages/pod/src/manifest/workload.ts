import { createHash } from 'node:crypto';
import { nearest } from '@sidekit/core';
import { ManifestError, type ManifestObject, readDocuments } from './document.ts';
import {
  type ConfigMapManifest,
  type DeploymentManifest,
  type JobManifest,
  KINDS,
  type Kind,
  type PodManifest,
  type SecretManifest,
  type ServiceManifest,
  type StatefulSetManifest,
} from './object-tables.ts';
import type { PodSpec } from './pod-table.ts';
import type { Path } from './reader.ts';
import { checkReferences } from './references.ts';

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
  readonly owner?:
    | { readonly kind: 'Deployment' | 'StatefulSet' | 'Job'; readonly name: string }
    | undefined;
  /** For a Job with restartPolicy OnFailure: it fails once it has restarted more often. */
  readonly backoffLimit?: number | undefined;
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
}

/** A manifest's name for messages, and its text. */
export interface ManifestFile {
  readonly name: string;
  readonly text: string;
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

/** Kinds that need an API server or a cluster: refused by name. */
const CLUSTER_KINDS: Readonly<Record<string, string>> = {
  CronJob: 'run its Job instead',
  DaemonSet: 'run its Pod as a Deployment',
  ReplicaSet: 'use a Deployment',
  ReplicationController: 'use a Deployment',
  Ingress: 'publish a Service',
  PersistentVolumeClaim: 'use an emptyDir or a hostPath',
  PersistentVolume: 'use an emptyDir or a hostPath',
  ServiceAccount: 'there is no API server to talk to',
  Role: 'there is no API server to talk to',
  RoleBinding: 'there is no API server to talk to',
  ClusterRole: 'there is no API server to talk to',
  ClusterRoleBinding: 'there is no API server to talk to',
  NetworkPolicy: 'traffic is not filtered',
  HorizontalPodAutoscaler: 'set replicas',
  PodDisruptionBudget: 'nothing is evicted here',
  CustomResourceDefinition: 'there is no API server to talk to',
};

/**
 * Reads manifests strictly: every field is honoured or refused by its path.
 * @throws {ManifestError} with all faults of all files.
 */
export function readWorkload(files: readonly ManifestFile[]): Workload {
  const faults: string[] = [];
  const report = (message: string) => void faults.push(message);
  const pods: PlacedPod[] = [];
  const services: PlacedService[] = [];
  const configMaps: NamedData[] = [];
  const secrets: NamedData[] = [];
  const names = new Map<string, string>();
  // Where an object was faulty, a missing reference to it would be a fault of the second hand.
  const faulty = new Set<string>();

  for (const { name: file, text } of files) {
    for (const object of readDocuments(file, text, report)) {
      const read = readObject(object, (path, message) => report(object.message(path, message)));
      if (read === undefined) {
        faulty.add(identity(object.value));
        continue;
      }
      const id = identity(object.value);
      if (names.has(id)) {
        report(object.message(['metadata', 'name'], `duplicate: it is also in ${names.get(id)}`));
        continue;
      }
      names.set(id, file);
      if (read.kind === 'ConfigMap') configMaps.push(configMapData(read.value));
      else if (read.kind === 'Secret') secrets.push(secretData(read.value));
      else if (read.kind === 'Service') {
        services.push({ service: serviceOf(read.value), message: object.message });
      } else if (read.kind !== 'Namespace') pods.push(...podsOf(read, object));
    }
  }
  checkNames(pods, report);
  checkReferences({ pods, services, configMaps, secrets, faulty }, report);
  if (faults.length === 0 && pods.length === 0 && configMaps.length + secrets.length === 0) {
    report(
      `${files.map(({ name }) => name).join(', ')}: no Pod in there: give a Pod, Deployment, StatefulSet or Job`,
    );
  }
  if (faults.length > 0) throw new ManifestError([...new Set(faults)]);
  return {
    pods: pods.map(({ pod }) => pod),
    services: services.map(({ service }) => service),
    configMaps,
    secrets,
  };
}

type ReadObject =
  | { readonly kind: 'Pod'; readonly value: PodManifest }
  | { readonly kind: 'Deployment'; readonly value: DeploymentManifest }
  | { readonly kind: 'StatefulSet'; readonly value: StatefulSetManifest }
  | { readonly kind: 'Job'; readonly value: JobManifest }
  | { readonly kind: 'ConfigMap'; readonly value: ConfigMapManifest }
  | { readonly kind: 'Secret'; readonly value: SecretManifest }
  | { readonly kind: 'Service'; readonly value: ServiceManifest }
  | { readonly kind: 'Namespace'; readonly value: unknown };

function readObject(
  { value }: ManifestObject,
  report: (path: Path, message: string) => void,
): ReadObject | undefined {
  const { kind, apiVersion } = value;
  if (typeof kind !== 'string') return void report(['kind'], 'required');
  if (!Object.hasOwn(KINDS, kind)) {
    const reason = CLUSTER_KINDS[kind];
    const hint =
      reason ?? nearest(kind, Object.keys(KINDS)) ?? `known are ${Object.keys(KINDS).join(', ')}`;
    return void report(['kind'], `${kind} is not supported by pod: ${hint}`);
  }
  const known = KINDS[kind as Kind];
  if (apiVersion !== known.apiVersion) {
    return void report(
      ['apiVersion'],
      `${JSON.stringify(apiVersion)} must be ${known.apiVersion} for a ${kind}`,
    );
  }
  const read = known.read(value, [], report);
  return read === undefined ? undefined : ({ kind, value: read } as ReadObject);
}

function identity(value: Readonly<Record<string, unknown>>): string {
  const metadata = (value.metadata ?? {}) as { name?: unknown; namespace?: unknown };
  return `${value.kind}/${metadata.namespace ?? 'default'}/${metadata.name}`;
}

function podsOf(
  read: Extract<ReadObject, { kind: 'Pod' | 'Deployment' | 'StatefulSet' | 'Job' }>,
  { message }: ManifestObject,
): PlacedPod[] {
  const { name: owner, namespace } = read.value.metadata;
  if (read.kind === 'Pod') {
    const { labels, annotations } = read.value.metadata;
    const metadata = { name: owner, namespace, labels, annotations };
    return [
      {
        pod: { metadata, spec: read.value.spec },
        message: (path, text) => message(['spec', ...path], text),
      },
    ];
  }
  const { template } = read.value.spec;
  const names = podNames(read, owner);
  return names.map((name, index) => ({
    pod: {
      metadata: {
        name,
        namespace,
        annotations: template.metadata.annotations,
        labels: { ...template.metadata.labels, ...controllerLabels(read.kind, owner, name, index) },
      },
      owner: { kind: read.kind, name: owner },
      ...(read.kind === 'Job'
        ? { spec: jobSpec(read.value.spec), backoffLimit: read.value.spec.backoffLimit ?? 6 }
        : {
            spec:
              read.kind === 'StatefulSet'
                ? {
                    ...template.spec,
                    hostname: name,
                    subdomain: template.spec.subdomain ?? read.value.spec.serviceName,
                  }
                : template.spec,
          }),
      ...(read.kind === 'StatefulSet' && read.value.spec.podManagementPolicy === 'OrderedReady'
        ? { after: names[index - 1] }
        : {}),
    },
    message: (path: Path, text: string) => message(['spec', 'template', 'spec', ...path], text),
  }));
}

/** A StatefulSet's Pods are numbered; the others get a suffix. */
function podNames(
  read: Exclude<ReadObject, { kind: 'Pod' | 'ConfigMap' | 'Secret' | 'Service' | 'Namespace' }>,
  owner: string,
): string[] {
  const count =
    read.kind === 'Job'
      ? (read.value.spec.completions ?? read.value.spec.parallelism ?? 1)
      : read.value.spec.replicas;
  return Array.from({ length: count }, (_, index) =>
    read.kind === 'StatefulSet' ? `${owner}-${index}` : `${owner}-${suffix(owner, index)}`,
  );
}

/** The labels that a controller adds to its Pods. */
function controllerLabels(
  kind: string,
  owner: string,
  name: string,
  index: number,
): Record<string, string> {
  if (kind === 'Job') return { 'batch.kubernetes.io/job-name': owner, 'job-name': owner };
  if (kind !== 'StatefulSet') return {};
  return {
    'statefulset.kubernetes.io/pod-name': name,
    'apps.kubernetes.io/pod-index': String(index),
  };
}

/** The deadline of a Job is its Pod's, where that has no shorter one. */
function jobSpec({ template, activeDeadlineSeconds: job }: JobManifest['spec']): PodSpec {
  const own = template.spec.activeDeadlineSeconds;
  const deadlines = [own, job].filter((seconds) => seconds !== undefined);
  return deadlines.length === 0
    ? template.spec
    : { ...template.spec, activeDeadlineSeconds: Math.min(...deadlines) };
}

function serviceOf({ metadata, spec }: ServiceManifest): ServiceObject {
  const { name, namespace, labels, annotations } = metadata;
  return {
    metadata: { name, namespace, labels, annotations },
    selector: spec.selector,
    ports: spec.ports.map((port) => ({ ...port, targetPort: port.targetPort ?? port.port })),
    headless: spec.clusterIP === 'None',
    publishNotReadyAddresses: spec.publishNotReadyAddresses,
  };
}

/** The same manifest gives the same names, so that applying it again finds its Pods. */
function suffix(name: string, index: number): string {
  const alphabet = 'bcdfghjklmnpqrstvwxz2456789';
  const digest = createHash('sha256').update(`${name}/${index}`).digest();
  return Array.from(digest.subarray(0, 5), (byte) => alphabet[byte % alphabet.length]).join('');
}

function checkNames(pods: readonly PlacedPod[], report: (message: string) => void) {
  const seen = new Map<string, PodObject>();
  for (const { pod, message } of pods) {
    const { name, namespace } = pod.metadata;
    const other = seen.get(name);
    if (other) {
      report(
        message(
          [],
          `duplicate: the Pod name ${name} is used twice, in namespaces ${other.metadata.namespace} and ${namespace}; pod tells Pods apart by name alone`,
        ),
      );
    }
    seen.set(name, pod);
  }
}

function configMapData({ metadata, data, binaryData }: ConfigMapManifest): NamedData {
  return {
    name: metadata.name,
    namespace: metadata.namespace,
    data: { ...bytes(data), ...binaryData },
  };
}

function secretData({ metadata, data, stringData }: SecretManifest): NamedData {
  return {
    name: metadata.name,
    namespace: metadata.namespace,
    data: { ...data, ...bytes(stringData) },
  };
}

function bytes(data: Readonly<Record<string, string>>): Record<string, Buffer> {
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value)]));
}
