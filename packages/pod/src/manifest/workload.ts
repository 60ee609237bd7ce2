import { nearest } from '@sidekit/core/tool';
import { completions, daemon, ordinals, replicas } from './controllers.ts';
import { type ManifestObject, readDocuments } from './document.ts';
import { ManifestError } from './manifest-error.ts';
import { KINDS, type Kind, type ManifestOf } from './object-tables.ts';
import type { NamedData, PlacedPod, PlacedService, PodObject, Workload } from './objects.ts';
import { configMapData, secretData, serviceOf } from './plain-objects.ts';
import type { Path } from './reader.ts';
import { checkReferences } from './references.ts';
import { readMended } from './repair.ts';

/** A manifest's name for messages, and its text. */
export interface ManifestFile {
  readonly name: string;
  readonly text: string;
}

/** Kinds that need an API server or a cluster: refused by name. */
const CLUSTER_KINDS: Readonly<Record<string, string>> = {
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
  const report = (message: string) => {
    // A Pod that was mended to be looked through has nothing to say of what is told already.
    if (message !== '') faults.push(message);
  };
  const pods: PlacedPod[] = [];
  const services: PlacedService[] = [];
  const configMaps: NamedData[] = [];
  const secrets: NamedData[] = [];
  const names = new Map<string, string>();
  const notes: string[] = [];
  // Where an object was faulty, a missing reference to it would be a fault of the second hand.
  const faulty = new Set<string>();

  for (const { name: file, text } of files) {
    for (const object of readDocuments(file, text, report)) {
      const read = readObject(object, (path, message) => report(object.message(path, message)));
      if (read === undefined) {
        faulty.add(identity(object.value));
        pods.push(...mendedPods(object));
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
      } else if (makesPods(read)) pods.push(...podsOf(read, object));
      if (read.kind === 'CronJob') notes.push(onceNow(read.value.metadata.name));
    }
  }
  checkNames(pods, report);
  checkReferences({ pods, services, configMaps, secrets, faulty }, report);
  if (faults.length === 0 && pods.length === 0 && configMaps.length + secrets.length === 0) {
    report(
      `${files.map(({ name }) => name).join(', ')}: no Pod in there: give a Pod, or what makes Pods, such as a Deployment or a Job`,
    );
  }
  if (faults.length > 0) throw new ManifestError([...new Set(faults)]);
  return {
    pods: pods.map(({ pod }) => pod),
    services: services.map(({ service }) => service),
    configMaps,
    secrets,
    notes,
  };
}

function onceNow(name: string): string {
  return `note: CronJob ${name}: its Job runs once, now; only a cluster keeps to its schedule`;
}

type ReadObject = { [K in Kind]: { readonly kind: K; readonly value: ManifestOf<K> } }[Kind];

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

type PodMaker = Exclude<ReadObject, { kind: 'ConfigMap' | 'Secret' | 'Service' | 'Namespace' }>;

function makesPods(read: ReadObject): read is PodMaker {
  return !['ConfigMap', 'Secret', 'Service', 'Namespace'].includes(read.kind);
}

/** The Pods of a faulty object, for the faults of what they refer to alone. */
function mendedPods(object: ManifestObject): PlacedPod[] {
  const mended = readMended(object.value, (value, onFault) =>
    readObject({ ...object, value }, onFault),
  );
  if (mended === undefined || !makesPods(mended.read)) return [];
  const secondHand = [...mended.leftOut].map((value) => `${JSON.stringify(value)} `);
  const message: ManifestObject['message'] = (path, text) =>
    // What was left out is told already, and so is what refers to it.
    secondHand.some((start) => text.startsWith(start)) ? '' : object.message(path, text);
  return podsOf(mended.read, { ...object, message });
}

/** The Pods that an object makes. */
function podsOf(read: PodMaker, object: ManifestObject): PlacedPod[] {
  const { metadata } = read.value;
  const controller = { metadata, object, at: ['spec', 'template', 'spec'] };
  switch (read.kind) {
    case 'Pod': {
      const { name, namespace, labels, annotations } = metadata;
      const pod = { metadata: { name, namespace, labels, annotations }, spec: read.value.spec };
      return [{ pod, message: (path, text) => object.message(['spec', ...path], text) }];
    }
    case 'Deployment':
    case 'ReplicaSet':
      return replicas(read.kind, controller, read.value.spec);
    case 'DaemonSet':
      return daemon(controller, read.value.spec);
    case 'StatefulSet':
      return ordinals(controller, read.value.spec);
    case 'Job':
      return completions(controller, read.value.spec);
    case 'CronJob': {
      const at = ['spec', 'jobTemplate', 'spec', 'template', 'spec'];
      return completions({ ...controller, at }, read.value.spec.jobTemplate.spec);
    }
  }
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
