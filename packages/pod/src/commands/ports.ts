import { createServer } from 'node:net';
import { portNumber, selects } from '../manifest/references.ts';
import type { PodObject, Workload } from '../manifest/types.ts';
import type { PublishedPort } from '../supervisor/store.ts';

/** What of a Pod can be reached from the host. */
export interface Exposure {
  readonly services: readonly string[];
  readonly publish: readonly PublishedPort[];
}

/**
 * Finds each Pod's Services and the ports of 127.0.0.1 that lead to it: a Service's nodePort, or
 * its own port where that is free, or one that the engine chooses; and `hostPort`s. A Service of
 * several Pods is published on the first of them.
 */
export async function exposures(workload: Workload): Promise<ReadonlyMap<PodObject, Exposure>> {
  const taken = new Set<number>();
  const publish = new Map<PodObject, PublishedPort[]>(workload.pods.map((pod) => [pod, []]));
  const choose = async (wanted: number, fixed: boolean) => {
    const free = !taken.has(wanted) && (fixed || (wanted >= 1024 && (await isFree(wanted))));
    if (free) taken.add(wanted);
    return free ? wanted : 0;
  };
  for (const pod of workload.pods) {
    const containers = [...(pod.spec.initContainers ?? []), ...pod.spec.containers];
    for (const { hostPort, containerPort } of containers.flatMap(({ ports }) => ports ?? [])) {
      if (hostPort === undefined) continue;
      publish
        .get(pod)
        ?.push({ name: 'hostPort', container: containerPort, host: await choose(hostPort, true) });
    }
  }
  for (const service of workload.services) {
    const [pod] = workload.pods.filter(({ metadata }) =>
      selects(service.selector, metadata.labels),
    );
    if (!pod) continue;
    for (const port of service.ports) {
      const containers = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
      const container = portNumber(containers, port.targetPort);
      if (container === undefined) continue;
      const host = await choose(port.nodePort ?? port.port, port.nodePort !== undefined);
      const name = port.name ? `${service.metadata.name}/${port.name}` : service.metadata.name;
      publish.get(pod)?.push({ name, container, host });
    }
  }
  return new Map(
    workload.pods.map((pod) => [
      pod,
      {
        publish: publish.get(pod) ?? [],
        services: workload.services
          .filter(({ selector }) => selects(selector, pod.metadata.labels))
          .map(({ metadata }) => metadata.name),
      },
    ]),
  );
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
