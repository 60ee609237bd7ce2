import type { Collect } from '@sidekit/core/schema';
import type { PlacedPod, PlacedService, PodObject, ServiceObject } from '../objects.ts';

/** The label of the ConfigMap that a Kustomize component of sidekit generates. */
export const COMPONENT_LABEL = 'sidekit.dev/component';

/** The ConfigMap of a component. */
export interface PlacedComponent {
  /** The name of the component, such as `ambassador`. */
  readonly component: string;
  readonly namespace: string;
  readonly report: Collect;
}

/** The objects of all files that components add to or that lead to them. */
export interface Installed {
  readonly components: readonly PlacedComponent[];
  readonly pods: readonly PlacedPod[];
  readonly services: readonly PlacedService[];
}

/** The volumes of components that the containers of the application have to mount. */
const SHARED_VOLUMES: Readonly<Record<string, string>> = {
  adapter: 'sidekit-logs',
  'file-writer': 'sidekit-files',
};

/**
 * Checks that every component listed in a kustomization.yaml reached a workload. Kustomize ignores
 * patches that match nothing, so such a Pod would run without its sidecar and look healthy.
 */
export function checkComponents(
  { components, pods, services }: Installed,
  note: (text: string) => void,
): void {
  for (const { component, namespace, report } of components) {
    const container = `sidekit-${component}`;
    const having = pods.filter(({ pod }) => hasContainer(pod, container));
    const namespaces = [...new Set(having.map(({ pod }) => pod.metadata.namespace))];
    if (having.length === 0) {
      report(['metadata', 'labels', COMPONENT_LABEL], {
        value: component,
        rule: `no workload has the container ${container}, so the component did nothing`,
        remedy: `give the workload itself (a Deployment, StatefulSet, DaemonSet, Job or CronJob) the label sidekit.dev/${component}: "true", in its manifest or in a component that is listed before (labels and patches of the same kustomization.yaml are applied too late)`,
      });
    } else if (!namespaces.includes(namespace)) {
      report(['metadata', 'namespace'], {
        value: namespace,
        rule: `must be that of the container ${container}: ${namespaces.join(', ')}`,
        remedy: `write namespace: ${namespaces[0]} into the kustomization.yaml that lists the component`,
      });
    }
  }
  for (const [component, volume] of Object.entries(SHARED_VOLUMES)) {
    for (const { pod } of pods) {
      if (!hasContainer(pod, `sidekit-${component}`) || isShared(pod, volume)) continue;
      note(
        `Pod ${pod.metadata.name}: the volume ${volume} is mounted by the ${component} alone: mount it in the container whose files it is for`,
      );
    }
  }
  noteBypasses({ components, pods, services }, note);
}

/** Notes every Service that leads past the ambassador of its Pods. */
function noteBypasses({ pods, services }: Installed, note: (text: string) => void): void {
  for (const { pod } of pods) {
    const proxy = pod.spec.initContainers.find(({ name }) => name === 'sidekit-ambassador');
    if (!proxy) continue;
    for (const { service } of services.filter((one) => selects(one.service, pod))) {
      const reaches = service.ports.some(({ targetPort }) =>
        proxy.ports.some(
          ({ name, containerPort }) => name === targetPort || containerPort === targetPort,
        ),
      );
      if (!reaches)
        note(
          `Service ${service.metadata.name}: no port leads to the ambassador of Pod ${pod.metadata.name}, so clients bypass it: write targetPort: ambassador`,
        );
    }
  }
}

function selects(
  { metadata, selector }: ServiceObject,
  { metadata: { labels, namespace } }: PodObject,
) {
  const wanted = Object.entries(selector);
  return (
    metadata.namespace === namespace &&
    wanted.length > 0 &&
    wanted.every(([key, value]) => labels[key] === value)
  );
}

function hasContainer({ spec }: PodObject, wanted: string): boolean {
  return [...spec.initContainers, ...spec.containers].some(({ name }) => name === wanted);
}

function isShared({ spec }: PodObject, volume: string): boolean {
  const mounting = [...spec.initContainers, ...spec.containers].filter(({ volumeMounts }) =>
    volumeMounts.some(({ name }) => name === volume),
  );
  return mounting.length !== 1;
}
