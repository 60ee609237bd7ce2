import type { Path } from '@sidekit/core/schema';
import type { PlacedPod, PlacedService } from '../objects.ts';
import type { ContainerSpec } from '../schema/container-schema.ts';
import { type Fault, unknownName } from './reference-faults.ts';
import { selects } from './selector.ts';

/** Checks that port names are unique in the container, and host ports in all Pods. */
export function ports(
  container: ContainerSpec,
  at: Path,
  fault: Fault,
  hostPorts: Map<string, string>,
  pod: string,
) {
  const names = new Set<string>();
  for (const [index, { name, hostPort, hostIP, protocol }] of container.ports.entries()) {
    if (name !== undefined && names.has(name)) {
      fault([...at, 'ports', index, 'name'], { value: name, rule: 'is a duplicate' });
    }
    if (name !== undefined) names.add(name);
    if (!hostPort) continue;
    const key = `${protocol} ${hostIP ?? ''}:${hostPort}`;
    const user = hostPorts.get(key);
    if (user) {
      fault([...at, 'ports', index, 'hostPort'], {
        value: hostPort,
        rule: `is already taken by ${user}`,
      });
    }
    hostPorts.set(key, `container ${container.name} of Pod ${pod}`);
  }
}

/** Checks that ports of probes and hooks which are names are those of the container. */
export function probePorts(container: ContainerSpec, at: Path, fault: Fault) {
  const known = container.ports.flatMap(({ name }) => (name === undefined ? [] : [name]));
  const places: [Path, { readonly port: number | string } | undefined][] = [];
  for (const probe of ['startupProbe', 'readinessProbe', 'livenessProbe'] as const) {
    places.push([[probe, 'httpGet', 'port'], container[probe]?.httpGet]);
    places.push([[probe, 'tcpSocket', 'port'], container[probe]?.tcpSocket]);
  }
  for (const hook of ['postStart', 'preStop'] as const) {
    places.push([['lifecycle', hook, 'httpGet', 'port'], container.lifecycle?.[hook]?.httpGet]);
  }
  for (const [path, handler] of places) {
    if (typeof handler?.port !== 'string' || known.includes(handler.port)) continue;
    const rule = 'is not the name of a port of this container: it never has a result';
    fault([...at, ...path], {
      category: 'cluster',
      ...unknownName(handler.port, rule, known),
    });
  }
}

/** Checks that a Service selects a Pod, and that its named target ports exist there. */
export function servicePorts({ service, report }: PlacedService, pods: readonly PlacedPod[]) {
  const chosen = pods.filter(
    ({ pod }) =>
      pod.metadata.namespace === service.metadata.namespace &&
      selects(service.selector, pod.metadata.labels),
  );
  if (chosen.length === 0) {
    if (pods.length > 0 && Object.keys(service.selector).length > 0) {
      report(['spec', 'selector'], {
        category: 'cluster',
        rule: 'selects no Pod of these manifests',
      });
    }
    return;
  }
  for (const [index, { targetPort }] of service.ports.entries()) {
    if (typeof targetPort !== 'string') continue;
    const names = chosen.flatMap(({ pod }) =>
      [...pod.spec.containers, ...pod.spec.initContainers].flatMap(({ ports: all }) =>
        all.flatMap(({ name }) => (name === undefined ? [] : [name])),
      ),
    );
    if (names.includes(targetPort)) continue;
    report(['spec', 'ports', index, 'targetPort'], {
      category: 'cluster',
      ...unknownName(targetPort, 'is not the name of a port of the selected Pods', names),
    });
  }
}
