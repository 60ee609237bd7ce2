import type { PodSpec } from '../manifest/types.ts';
import type { ContainerOutline } from './timeline.ts';

/** Lists a Pod's containers in the order in which they start. */
export function outlineOf({
  restartPolicy,
  initContainers,
  containers,
}: Pick<PodSpec, 'restartPolicy' | 'initContainers' | 'containers'>): ContainerOutline[] {
  const restarts = {
    init: restartPolicy === 'Always' ? 'OnFailure' : restartPolicy,
    sidecar: 'Always',
    main: restartPolicy,
  } as const;
  const outline = (
    role: ContainerOutline['role'],
    { name, startupProbe, readinessProbe, lifecycle }: PodSpec['containers'][number],
  ): ContainerOutline => ({
    name,
    role,
    startupProbe: startupProbe !== undefined,
    readinessProbe: readinessProbe !== undefined,
    postStart: lifecycle?.postStart !== undefined,
    restarts: restarts[role],
  });
  return [
    ...initContainers.map((one) => outline(one.restartPolicy ? 'sidecar' : 'init', one)),
    ...containers.map((one) => outline('main', one)),
  ];
}
