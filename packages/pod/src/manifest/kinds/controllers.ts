import type { Path } from '@sidekit/core/schema';
import type { ManifestObject } from '../document.ts';
import type { ClaimObject, ControllerKind, Metadata, PlacedPod, PodObject } from '../objects.ts';
import type { ControllerSpec, JobSpec, StatefulSetSpec } from '../schema/controller-schema.ts';
import type { PodSpec } from '../schema/pod-schema.ts';
import { parseQuantity } from '../schema/quantity.ts';
import type { Volume } from '../schema/volume-schema.ts';
import { generatedName } from './generated-name.ts';
import { jobPodName } from './job-pods.ts';

/** A controller's object, with the place of its Pods' template in it. */
export interface Controller {
  readonly metadata: Pick<Metadata, 'name' | 'namespace'>;
  readonly object: ManifestObject;
  /** `spec.template.spec`, or that of a CronJob's Job. */
  readonly at: Path;
}

/** Makes the Pods of a Deployment, ReplicaSet or ReplicationController. */
export function replicas(
  kind: 'Deployment' | 'ReplicaSet' | 'ReplicationController',
  controller: Controller,
  { replicas: count, template }: ControllerSpec & { readonly replicas: number },
): PlacedPod[] {
  return place(controller, kind, template, withSuffix(controller, count), () => ({}));
}

/** Makes the one Pod of a DaemonSet: there is one node. */
export function daemon(controller: Controller, { template }: ControllerSpec): PlacedPod[] {
  return place(controller, 'DaemonSet', template, withSuffix(controller, 1), () => ({}));
}

/** Makes the Pods of a StatefulSet: numbered, with names and claims of their own, one after the other. */
export function ordinals(controller: Controller, set: StatefulSetSpec): PlacedPod[] {
  const { template, replicas: count, serviceName, podManagementPolicy, ordinals } = set;
  const names = Array.from(
    { length: count },
    (_, index) => `${controller.metadata.name}-${ordinals.start + index}`,
  );
  const subdomain = template.spec.subdomain ?? serviceName;
  return place(controller, 'StatefulSet', template, names, (name, index) => ({
    spec: { ...template.spec, hostname: name, subdomain, volumes: claimedVolumes(name, set) },
    labels: {
      'statefulset.kubernetes.io/pod-name': name,
      'apps.kubernetes.io/pod-index': String(ordinals.start + index),
    },
    ...(podManagementPolicy === 'OrderedReady' ? { after: names[index - 1] } : {}),
  }));
}

/** The claims that a StatefulSet makes for its Pods. */
export function claimsOf({ metadata }: Controller, set: StatefulSetSpec): ClaimObject[] {
  return Array.from({ length: set.replicas }, (_, index) => {
    const pod = `${metadata.name}-${set.ordinals.start + index}`;
    return set.volumeClaimTemplates.map(({ metadata: { name }, spec }) => ({
      name: `${name}-${pod}`,
      namespace: metadata.namespace,
      size: parseQuantity(spec.resources.requests.storage),
    }));
  }).flat();
}

/** The volumes of a StatefulSet's Pod: a claim replaces a volume of the template with its name. */
function claimedVolumes(pod: string, { template, volumeClaimTemplates }: StatefulSetSpec) {
  const claimed = volumeClaimTemplates.map(
    ({ metadata: { name } }): Volume => ({
      name,
      persistentVolumeClaim: { claimName: `${name}-${pod}`, readOnly: false },
      emptyDir: undefined,
      configMap: undefined,
      secret: undefined,
      downwardAPI: undefined,
      projected: undefined,
      hostPath: undefined,
    }),
  );
  const names = claimed.map(({ name }) => name);
  return [...template.spec.volumes.filter(({ name }) => !names.includes(name)), ...claimed];
}

/** Makes the Pods that a Job begins with; its others follow as these end. */
export function completions(controller: Controller, job: JobSpec): PlacedPod[] {
  const { name } = controller.metadata;
  const { parallelism = 1, backoffLimit = 6, activeDeadlineSeconds } = job;
  const all = job.completions ?? parallelism;
  const atOnce = Math.min(all, parallelism);
  const names = Array.from({ length: atOnce }, (_, index) => jobPodName(name, index, 0));
  return place(controller, 'Job', job.template, names, (_, index) => ({
    spec: jobPodSpec(job),
    labels: { 'batch.kubernetes.io/job-name': name, 'job-name': name },
    job: {
      index,
      attempt: 0,
      completions: all,
      parallelism: atOnce,
      backoffLimit,
      ...(activeDeadlineSeconds === undefined ? {} : { activeDeadlineSeconds }),
    },
  }));
}

/** The parts of a Pod in which it differs from its template. */
type Change = Partial<Pick<PodObject, 'spec' | 'after' | 'job'>> & {
  readonly labels?: Readonly<Record<string, string>>;
};

function place(
  { metadata: { name: owner, namespace }, object, at }: Controller,
  kind: ControllerKind,
  { metadata, spec }: ControllerSpec['template'],
  names: readonly string[],
  change: (name: string, index: number) => Change,
): PlacedPod[] {
  return names.map((name, index) => {
    const { labels = {}, ...changed } = change(name, index);
    return {
      pod: {
        metadata: {
          name,
          namespace,
          annotations: metadata.annotations,
          labels: { ...metadata.labels, ...labels },
        },
        owner: { kind, name: owner },
        spec,
        ...changed,
      },
      report: (path, violation) => object.report([...at, ...path], violation),
    };
  });
}

/** The deadline of a Job is its Pod's, where that has no shorter one. */
function jobPodSpec({ template, activeDeadlineSeconds: job }: JobSpec): PodSpec {
  const own = template.spec.activeDeadlineSeconds;
  const deadlines = [own, job].filter((seconds) => seconds !== undefined);
  return deadlines.length === 0
    ? template.spec
    : { ...template.spec, activeDeadlineSeconds: Math.min(...deadlines) };
}

function withSuffix({ metadata: { name } }: Controller, count: number): string[] {
  return Array.from({ length: count }, (_, index) => generatedName(name, `${index}`));
}
