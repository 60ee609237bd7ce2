import { type Collect, nearest } from '@sidekit/core/schema';
import { type ManifestObject, readDocuments } from './document.ts';
import { Findings, type Policy } from './findings.ts';
import { isClusterKind } from './kinds/cluster-kinds.ts';
import { claimsOf, completions, daemon, ordinals, replicas } from './kinds/controllers.ts';
import { generatedName } from './kinds/generated-name.ts';
import { claimOf, configMapData, secretData, serviceOf } from './kinds/plain-objects.ts';
import { ManifestError } from './manifest-error.ts';
import type {
  ClaimObject,
  ControllerRef,
  NamedData,
  PlacedPod,
  PlacedService,
  PodObject,
  Workload,
} from './objects.ts';
import { COMPONENT_LABEL, checkComponents, type PlacedComponent } from './references/components.ts';
import { checkReferences } from './references/references.ts';
import { withOptionalReferences } from './references/tolerated.ts';
import { KINDS, type Kind, type ManifestOf } from './schema/object-schema.ts';
import { RULES } from './schema/support.ts';

/** A manifest's name for messages, and its text. */
export interface ManifestFile {
  readonly name: string;
  readonly text: string;
  /** It comes from another machine: `allowHost` is not for it. */
  readonly remote?: boolean;
}

/**
 * Reads manifests strictly: every field is honoured, or reported by its path and refused or
 * skipped by the policy.
 * @throws {ManifestError} with all faults of all files.
 */
export function readWorkload(files: readonly ManifestFile[], policy: Policy = {}): Workload {
  const findings = new Findings(policy);
  const found = new Objects(findings);
  for (const { name, text, remote } of files) {
    const own = remote ? findings.ofStranger() : findings;
    for (const object of readDocuments(name, text, own)) found.add(name, object);
  }
  const { pods, controllers, services, configMaps, secrets, claims } = found;
  checkNames(pods);
  checkReferences(found);
  checkComponents(found, (text) => findings.note(text));
  if (
    findings.faults.length === 0 &&
    pods.length + controllers.length + configMaps.length + secrets.length === 0
  ) {
    findings.add(files.map(({ name }) => name).join(', '), {
      rule: 'has no Pod',
      remedy: 'give a Pod, or a controller of Pods such as a Deployment or a Job',
    });
  }
  if (findings.faults.length > 0) throw new ManifestError(findings.faults);
  return {
    pods: pods.map(({ pod }) =>
      policy.unsupported === 'warn' ? { ...pod, spec: withOptionalReferences(pod.spec) } : pod,
    ),
    controllers,
    services: services.map(({ service }) => service),
    configMaps,
    secrets,
    claims: withMissingClaims(claims, pods),
    notes: findings.notes,
    hostAccess: findings.hostAccess,
  };
}

/** The objects of all files, by kind. */
class Objects {
  readonly pods: PlacedPod[] = [];
  readonly controllers: ControllerRef[] = [];
  readonly services: PlacedService[] = [];
  readonly configMaps: NamedData[] = [];
  readonly secrets: NamedData[] = [];
  readonly claims: ClaimObject[] = [];
  readonly components: PlacedComponent[] = [];
  /** Named but faulty objects: a missing reference to one of them is no fault of its own. */
  readonly faulty = new Set<string>();
  readonly #files = new Map<string, string>();
  readonly #generated = new Map<string, number>();
  readonly #findings: Findings;

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  add(file: string, object: ManifestObject): void {
    const before = this.#findings.faults.length;
    const read = this.#read(object);
    if (read === undefined) {
      if (this.#findings.faults.length > before) this.faulty.add(identity(object.value));
      return;
    }
    const { name, namespace } = read.value.metadata as { name: string; namespace?: string };
    const id = `${read.kind}/${namespace ?? 'default'}/${name}`;
    const other = this.#files.get(id);
    this.#files.set(id, file);
    if (other === undefined) this.#place(read, object);
    else object.report(['metadata', 'name'], { rule: `is a duplicate: it is also in ${other}` });
  }

  #read({ value, report }: ManifestObject): ReadObject | undefined {
    const { kind, apiVersion } = value;
    if (typeof kind !== 'string') return void report(['kind'], { rule: 'is missing' });
    if (!Object.hasOwn(KINDS, kind)) {
      const remedy = nearest(kind, Object.keys(KINDS));
      return void report(
        ['kind'],
        isClusterKind(apiVersion, kind)
          ? { category: 'cluster', value: kind, rule: RULES.cluster }
          : { value: kind, rule: 'is not a kind of Kubernetes', remedy },
      );
    }
    const known = KINDS[kind as Kind];
    if (apiVersion !== known.apiVersion) {
      const rule = `must be ${known.apiVersion} for a ${kind}`;
      return void report(['apiVersion'], { value: apiVersion, rule });
    }
    const read = known.read(value, [], report);
    return read && ({ kind, value: this.#named(kind, read) } as ReadObject);
  }

  /** Completes a generateName; the same files give the same names. */
  #named<T extends { readonly metadata: object }>(kind: string, object: T): T {
    const { name, generateName } = object.metadata as { name: string; generateName?: string };
    if (name !== '' || generateName === undefined) return object;
    const key = `${kind} ${generateName}`;
    const index = this.#generated.get(key) ?? 0;
    this.#generated.set(key, index + 1);
    const suffix = generatedName(generateName, `${kind}/${index}`).slice(-5);
    return { ...object, metadata: { ...object.metadata, name: `${generateName}${suffix}` } };
  }

  #place(read: ReadObject, object: ManifestObject): void {
    const { report } = object;
    switch (read.kind) {
      case 'ConfigMap': {
        const { labels, namespace } = read.value.metadata;
        const component = labels[COMPONENT_LABEL];
        if (component !== undefined) this.components.push({ component, namespace, report });
        this.configMaps.push(configMapData(read.value));
        return;
      }
      case 'Secret':
        this.secrets.push(secretData(read.value));
        return;
      case 'Service':
        this.services.push({ service: serviceOf(read.value), report });
        return;
      case 'PersistentVolumeClaim':
        this.claims.push(claimOf(read.value));
        return;
      case 'Namespace':
        return;
      case 'Pod': {
        const { name, namespace, labels, annotations } = read.value.metadata;
        const pod = { metadata: { name, namespace, labels, annotations }, spec: read.value.spec };
        const placed: Collect = (path, violation) => report(['spec', ...path], violation);
        this.pods.push({ pod, report: placed });
        return;
      }
      default:
        this.#control(read, object);
    }
  }

  #control(read: Exclude<ReadObject, { kind: PlainKind }>, object: ManifestObject): void {
    const { metadata } = read.value;
    const { name, namespace } = metadata;
    const kind = read.kind === 'CronJob' ? 'Job' : read.kind;
    this.controllers.push({ kind, name, namespace });
    const controller = { metadata, object, at: ['spec', 'template', 'spec'] };
    switch (read.kind) {
      case 'Deployment':
      case 'ReplicaSet':
      case 'ReplicationController':
        this.pods.push(...replicas(read.kind, controller, read.value.spec));
        return;
      case 'DaemonSet':
        this.pods.push(...daemon(controller, read.value.spec));
        return;
      case 'StatefulSet':
        this.pods.push(...ordinals(controller, read.value.spec));
        this.claims.push(...claimsOf(controller, read.value.spec));
        return;
      case 'Job':
        this.pods.push(...completions(controller, read.value.spec));
        return;
      case 'CronJob': {
        const at = ['spec', 'jobTemplate', 'spec', 'template', 'spec'];
        this.pods.push(...completions({ ...controller, at }, read.value.spec.jobTemplate.spec));
        this.#findings.note(
          `CronJob ${metadata.name}: its Job runs once, now; only a cluster keeps to its schedule`,
        );
      }
    }
  }
}

type ReadObject = { [K in Kind]: { readonly kind: K; readonly value: ManifestOf<K> } }[Kind];

type PlainKind = 'Pod' | 'ConfigMap' | 'Secret' | 'Service' | 'PersistentVolumeClaim' | 'Namespace';

function identity(value: Readonly<Record<string, unknown>>): string {
  const metadata = (value.metadata ?? {}) as { name?: unknown; namespace?: unknown };
  return `${value.kind}/${metadata.namespace ?? 'default'}/${metadata.name}`;
}

/** Adds a folder for every claim that is referred to but defined elsewhere, if that is tolerated. */
function withMissingClaims(
  claims: readonly ClaimObject[],
  pods: readonly PlacedPod[],
): ClaimObject[] {
  const all = new Map(claims.map((claim) => [`${claim.namespace}/${claim.name}`, claim]));
  for (const { pod } of pods) {
    const { namespace } = pod.metadata;
    for (const { persistentVolumeClaim: claim } of pod.spec.volumes) {
      const id = `${namespace}/${claim?.claimName}`;
      if (claim && !all.has(id)) all.set(id, { name: claim.claimName, namespace, size: 0 });
    }
  }
  return [...all.values()];
}

function checkNames(pods: readonly PlacedPod[]) {
  const seen = new Map<string, PodObject>();
  for (const { pod, report } of pods) {
    const { name, namespace } = pod.metadata;
    const other = seen.get(name);
    if (other) {
      report([], {
        rule: `the Pod name ${name} is used twice, in namespaces ${other.metadata.namespace} and ${namespace}; pod tells Pods apart by name alone`,
      });
    }
    seen.set(name, pod);
  }
}
