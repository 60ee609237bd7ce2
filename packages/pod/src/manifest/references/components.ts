import type { Collect } from '@sidekit/core/schema';
import {
  type PlacedPod,
  type PlacedService,
  type PodObject,
  type ServiceObject,
  workloadName,
} from '../objects.ts';
import { selects } from './selector.ts';

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
        `${workloadName(pod)}: the volume ${volume} is mounted by the ${component} alone: mount it in the container whose files it is for`,
      );
    }
  }
  noteBypasses({ components, pods, services }, note);
}

/** Notes every Service that leads past the ambassador of its Pods. */
function noteBypasses({ pods, services }: Installed, note: (text: string) => void): void {
  for (const { pod } of pods) {
    for (const { service } of services.filter((one) => bypasses(one.service, pod)))
      note(
        `Service ${service.metadata.name}: no port leads to the ambassador of ${workloadName(pod)}, so clients bypass it: write targetPort: ambassador`,
      );
  }
}

/** Whether a Service leads to a Pod that has the component's ambassador, and none of its ports to that. */
export function bypasses({ metadata, selector, ports }: ServiceObject, pod: PodObject): boolean {
  const proxy = pod.spec.initContainers.find(({ name }) => name === 'sidekit-ambassador');
  const { labels, namespace } = pod.metadata;
  if (!proxy || metadata.namespace !== namespace || !selects(selector, labels)) return false;
  return !ports.some(({ targetPort }) =>
    proxy.ports.some(
      ({ name, containerPort }) => name === targetPort || containerPort === targetPort,
    ),
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
