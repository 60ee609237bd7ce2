import type { PodStatusObject } from '../../lifecycle/status.ts';

/** kubectl's copy of the manifest that was applied: it would appear twice. */
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** Fills in the lists that an API server leaves out when they are empty. */
export function withDefaults(pod: PodStatusObject): PodStatusObject {
  const fill = (list: readonly object[] | undefined) =>
    (list ?? []).map((one) => {
      const { resources = {} } = one as { resources?: object };
      const filled = { ports: [], env: [], volumeMounts: [], ...one };
      return { ...filled, resources: { requests: {}, limits: {}, ...resources } };
    });
  const { metadata, spec, status } = pod;
  const { [LAST_APPLIED]: _copy, ...annotations } = metadata.annotations ?? {};
  return {
    ...pod,
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...metadata, annotations },
    spec: {
      ...spec,
      volumes: spec.volumes ?? [],
      initContainers: fill(spec.initContainers),
      containers: fill(spec.containers),
    },
    status: {
      ...status,
      conditions: status.conditions ?? [],
      initContainerStatuses: status.initContainerStatuses ?? [],
      containerStatuses: status.containerStatuses ?? [],
    },
  } as unknown as PodStatusObject;
}
