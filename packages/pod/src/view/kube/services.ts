import type { PodStatusObject } from '../../lifecycle/status.ts';
import type { ServiceView } from '../model.ts';
import type { Listed } from './list-watch.ts';

/** A Service as far as the page shows it. */
export interface ServiceObject extends Listed {
  readonly spec: {
    readonly selector?: Readonly<Record<string, string>>;
    readonly ports?: readonly { readonly port: number; readonly targetPort?: number | string }[];
  };
}

/** Finds the Services that select a Pod, with the ports of its containers that they lead to. */
export function servicesOf(
  { metadata, spec }: PodStatusObject,
  services: Iterable<ServiceObject>,
): ServiceView[] {
  const named = new Map(
    [...spec.initContainers, ...spec.containers].flatMap(({ ports }) =>
      ports.map(({ name, containerPort }) => [name, containerPort] as const),
    ),
  );
  const labels: Readonly<Record<string, string>> = metadata.labels ?? {};
  return [...services]
    .filter(({ spec: { selector } }) => {
      const wanted = Object.entries(selector ?? {});
      return wanted.length > 0 && wanted.every(([key, value]) => labels[key] === value);
    })
    .map(({ metadata: { name }, spec: { ports = [] } }) => ({
      name,
      ports: ports.map(({ port, targetPort = port }) => ({
        port,
        target: typeof targetPort === 'number' ? targetPort : (named.get(targetPort) ?? port),
      })),
    }));
}
