import { portNumber } from '../manifest/references/port-number.ts';
import { selects } from '../manifest/references/selector.ts';
import type { PodObject, ServiceObject, Workload } from '../manifest/types.ts';
import type { ForwardedPort, HostPort, PodService } from '../store/record.ts';
import type { PortChooser } from './port-chooser.ts';

/** The ports of a Pod that this machine can reach, and the Services that the Pod knows. */
export interface Exposure {
  readonly services: readonly PodService[];
  readonly serviceVariables: Readonly<Record<string, string>>;
  readonly hostPorts: readonly HostPort[];
  readonly forwards: readonly ForwardedPort[];
}

/**
 * Finds each Pod's Services and the ports of 127.0.0.1 that lead to them: a Service's nodePort,
 * else its own port if that is free, else a free one. What runs keeps its port.
 * @throws {ExpectedError} if a nodePort is taken.
 */
export async function exposures(
  { pods, services }: Workload,
  chooser: PortChooser,
): Promise<(pod: PodObject) => Exposure> {
  const found: { readonly service: ServiceObject; readonly hosts: readonly number[] }[] = [];
  for (const service of services) {
    const hosts: number[] = [];
    for (const port of service.ports) hosts.push(await chooser.forService(service, port));
    found.push({ service, hosts });
  }
  const servicesOf = (pod: PodObject) =>
    found
      .filter(({ service }) => isOf(service, pod))
      .map(({ service, hosts }) => seenBy(pod, service, hosts));
  const forwards = new Map<PodObject, ForwardedPort[]>();
  for (const pod of pods) {
    const ports: ForwardedPort[] = [];
    for (const containerPort of unreached(pod, servicesOf(pod))) {
      ports.push({ containerPort, host: await chooser.forPod(pod, containerPort) });
    }
    forwards.set(pod, ports);
  }
  return (pod) => ({
    services: servicesOf(pod),
    forwards: forwards.get(pod) ?? [],
    serviceVariables: Object.assign(
      {},
      ...services
        .filter(({ metadata }) => metadata.namespace === pod.metadata.namespace)
        .map((service) => variables(service, pods)),
    ),
    hostPorts: [...pod.spec.initContainers, ...pod.spec.containers].flatMap(({ ports }) =>
      ports.flatMap(({ hostPort, containerPort, protocol, hostIP = '127.0.0.1' }) =>
        hostPort ? [{ hostPort, containerPort, protocol, hostIP }] : [],
      ),
    ),
  });
}

/** Lists Services whose port differs from the targetPort: other Pods reach only the targetPort. */
export function unmappedPorts({ services, pods }: Workload): string[] {
  return services.flatMap((service) => {
    const own = pods.filter((pod) => isOf(service, pod));
    if (own.length === pods.length) return [];
    return service.ports.flatMap(({ port, targetPort }) => {
      const target = own[0] && portNumber(containersOf(own[0]), targetPort);
      if (target === undefined || target === port) return [];
      const { name } = service.metadata;
      return [
        `note: other Pods reach Service ${name} as ${name}:${target}, its targetPort; no cluster IP maps ${port} to it here`,
      ];
    });
  });
}

/** Lists the declared TCP ports that no Service and no hostPort leads to. */
function unreached(pod: PodObject, services: readonly PodService[]): number[] {
  if (pod.spec.hostNetwork) return [];
  const targets = services.flatMap(({ ports }) => ports.filter(({ host }) => host !== undefined));
  const declared = containersOf(pod).flatMap(({ ports }) =>
    ports.filter(({ protocol, hostPort }) => protocol === 'TCP' && !hostPort),
  );
  const reached = new Set(targets.map(({ target }) => target));
  const wanted = declared.map(({ containerPort }) => containerPort);
  return [...new Set(wanted)].filter((port) => !reached.has(port));
}

function isOf({ metadata, selector }: ServiceObject, pod: PodObject): boolean {
  return metadata.namespace === pod.metadata.namespace && selects(selector, pod.metadata.labels);
}

function seenBy(pod: PodObject, service: ServiceObject, hosts: readonly number[]): PodService {
  const { metadata, publishNotReadyAddresses } = service;
  return {
    name: metadata.name,
    namespace: metadata.namespace,
    always: publishNotReadyAddresses,
    ports: service.ports.flatMap(({ name, port, targetPort, appProtocol }, index) => {
      const target = portNumber(containersOf(pod), targetPort);
      return target === undefined ? [] : [{ name, port, target, host: hosts[index], appProtocol }];
    }),
  };
}

/** The variables of Kubernetes' Service links; the host is the Service's name, not an address. */
function variables(service: ServiceObject, pods: readonly PodObject[]): Record<string, string> {
  const [pod] = pods.filter((one) => isOf(service, one));
  const ports = service.ports.flatMap(({ name, targetPort }) => {
    const target = pod && portNumber(containersOf(pod), targetPort);
    return target === undefined ? [] : [{ name, target }];
  });
  const [first] = ports;
  if (service.headless || !first) return {};
  const host = service.metadata.name;
  const prefix = constant(host);
  const values: Record<string, string> = {
    [`${prefix}_SERVICE_HOST`]: host,
    [`${prefix}_SERVICE_PORT`]: String(first.target),
    [`${prefix}_PORT`]: `tcp://${host}:${first.target}`,
  };
  for (const { name, target } of ports) {
    if (name) values[`${prefix}_SERVICE_PORT_${constant(name)}`] = String(target);
    const link = `${prefix}_PORT_${target}_TCP`;
    Object.assign(values, {
      [link]: `tcp://${host}:${target}`,
      [`${link}_PROTO`]: 'tcp',
      [`${link}_PORT`]: String(target),
      [`${link}_ADDR`]: host,
    });
  }
  return values;
}

function constant(name: string): string {
  return name.toUpperCase().replaceAll('-', '_');
}

function containersOf({ spec }: PodObject) {
  return [...spec.containers, ...spec.initContainers];
}
