import type { ControllerSpec, JobSpec, StatefulSetSpec } from './controller-tables.ts';
import type { ManifestObject } from './document.ts';
import { generatedName } from './generated-name.ts';
import { jobPodName } from './job-pods.ts';
import type { ControllerKind, Metadata, PlacedPod, PodObject } from './objects.ts';
import type { PodSpec } from './pod-table.ts';
import type { Path } from './reader.ts';

/** A controller's object, with the place of its Pods' template in it. */
interface Controller {
  readonly metadata: Pick<Metadata, 'name' | 'namespace'>;
  readonly object: ManifestObject;
  /** `spec.template.spec`, or that of a CronJob's Job. */
  readonly at: Path;
}

/** The Pods of a Deployment or ReplicaSet. */
export function replicas(
  kind: 'Deployment' | 'ReplicaSet',
  controller: Controller,
  { replicas: count, template }: ControllerSpec & { readonly replicas: number },
): PlacedPod[] {
  return place(controller, kind, template, withSuffix(controller, count), () => ({}));
}

/** The one Pod of a DaemonSet: there is one node. */
export function daemon(controller: Controller, { template }: ControllerSpec): PlacedPod[] {
  return place(controller, 'DaemonSet', template, withSuffix(controller, 1), () => ({}));
}

/** The Pods of a StatefulSet: numbered, with names of their own, one after the other. */
export function ordinals(controller: Controller, set: StatefulSetSpec): PlacedPod[] {
  const { template, replicas: count, serviceName, podManagementPolicy } = set;
  const names = Array.from({ length: count }, (_, index) => `${controller.metadata.name}-${index}`);
  const subdomain = template.spec.subdomain ?? serviceName;
  return place(controller, 'StatefulSet', template, names, (name, index) => ({
    spec: { ...template.spec, hostname: name, subdomain },
    labels: {
      'statefulset.kubernetes.io/pod-name': name,
      'apps.kubernetes.io/pod-index': String(index),
    },
    ...(podManagementPolicy === 'OrderedReady' ? { after: names[index - 1] } : {}),
  }));
}

/** The Pods that a Job begins with; its others follow as these end. */
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

/** What a controller changes in its template. */
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
      message: (path, text) => object.message([...at, ...path], text),
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
