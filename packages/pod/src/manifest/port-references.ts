import type { ContainerSpec } from './container-table.ts';
import type { PlacedPod, PlacedService } from './objects.ts';
import type { Path } from './reader.ts';
import { type Fault, hint } from './reference-faults.ts';
import { selects } from './selector.ts';

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
      fault([...at, 'ports', index, 'name'], `duplicate: ${JSON.stringify(name)}`);
    }
    if (name !== undefined) names.add(name);
    if (!hostPort) continue;
    const key = `${protocol} ${hostIP ?? ''}:${hostPort}`;
    const user = hostPorts.get(key);
    if (user) fault([...at, 'ports', index, 'hostPort'], `${hostPort} is already taken by ${user}`);
    hostPorts.set(key, `container ${container.name} of Pod ${pod}`);
  }
}

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
    fault(
      [...at, ...path],
      `${JSON.stringify(handler.port)} is not the name of a port of this container${hint(handler.port, known)}`,
    );
  }
}

export function servicePorts(
  { service, message }: PlacedService,
  pods: readonly PlacedPod[],
  report: (message: string) => void,
) {
  const chosen = pods.filter(
    ({ pod }) =>
      pod.metadata.namespace === service.metadata.namespace &&
      selects(service.selector, pod.metadata.labels),
  );
  if (chosen.length === 0) {
    if (pods.length > 0) {
      report(message(['spec', 'selector'], 'selects no Pod of these manifests'));
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
    report(
      message(
        ['spec', 'ports', index, 'targetPort'],
        `${JSON.stringify(targetPort)} is not the name of a port of the selected Pods${hint(targetPort, names)}`,
      ),
    );
  }
}
