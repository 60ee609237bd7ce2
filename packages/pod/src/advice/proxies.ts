import { inNamespace } from '../manifest/objects.ts';
import { bypasses } from '../manifest/references/components.ts';
import { portNumber } from '../manifest/references/port-number.ts';
import { selects } from '../manifest/references/selector.ts';
import type { DataObjects, PodObject, Workload } from '../manifest/types.ts';
import { type Configured, configured, containersOf, options } from './settings.ts';

/** Ports of an ambassador: those that it listens on, and those of its upstreams in the same Pod. */
interface ProxyPorts {
  readonly listens: readonly number[];
  readonly upstreams: readonly number[];
}

/** Warns about proxies whose upstream is themselves, or a port that nothing in the Pod has. */
export function proxies(
  { metadata, spec }: PodObject,
  containers: readonly Configured[],
  { configMaps }: Pick<Workload, 'configMaps'>,
): string[] {
  const data = inNamespace(configMaps, metadata.namespace);
  return containers.flatMap((one) => {
    const { name } = one.container;
    const { listens, upstreams } = proxyPorts(one);
    return upstreams.flatMap((port) => {
      if (listens.includes(port))
        return [`container ${name} has itself as its upstream (port ${port})`];
      const others = containers.filter((other) => other !== one);
      if (others.some((other) => mentions(other, port, filesOf(other, spec, data)))) return [];
      return [
        `the upstream of container ${name} is port ${port}, which no other container declares or names: correct it, or declare it as a containerPort of the container that listens on it`,
      ];
    });
  });
}

/** Warns about Services whose port leads to the application although a proxy is in front of it. */
export function pastProxies(workload: Workload): string[] {
  const { services, pods } = workload;
  return services.flatMap((service) => {
    const { metadata, selector, ports } = service;
    const pod = pods.find(
      (one) =>
        one.metadata.namespace === metadata.namespace && selects(selector, one.metadata.labels),
    );
    // A note says so already.
    if (!pod || bypasses(service, pod)) return [];
    const all = configured(pod, workload).map((one) => ({
      name: one.container.name,
      ...proxyPorts(one),
    }));
    return ports.flatMap(({ port, targetPort }) => {
      const target = portNumber(containersOf(pod.spec), targetPort);
      if (target === undefined) return [];
      const proxy = all.find(
        ({ upstreams, listens }) => upstreams.includes(target) && !listens.includes(target),
      );
      return proxy
        ? [
            `Service ${metadata.name}: port ${port} leads past the proxy ${proxy.name} to its upstream; its targetPort should be ${proxy.listens.join(' or ')}`,
          ]
        : [];
    });
  });
}

/** The ports of an ambassador, by its flags or environment; none for other containers. */
function proxyPorts(one: Configured): ProxyPorts {
  if (!/(^|\/)ambassador([:@]|$)/.test(one.container.image)) return { listens: [], upstreams: [] };
  const local = /^(\w+:\/\/)?(127\.\d+\.\d+\.\d+|localhost|\[::1\]):(\d+)/;
  return {
    listens: options(one, '--listen', 'AMBASSADOR_LISTEN')
      .flatMap((address) => /:(\d+)$/.exec(address)?.[1] ?? [])
      .map(Number),
    upstreams: options(one, '--upstream', 'AMBASSADOR_UPSTREAM')
      .flatMap((address) => local.exec(address)?.[3] ?? [])
      .map(Number),
  };
}

/**
 * Whether a container declares a port, or its number is in what it is given: its command line, its
 * environment, its probes, or files. Declaring a port is optional.
 */
function mentions(
  { container, words, environment }: Configured,
  port: number,
  files: readonly string[],
): boolean {
  const { ports, startupProbe, readinessProbe, livenessProbe } = container;
  if (ports.some(({ containerPort }) => containerPort === port)) return true;
  const probes = JSON.stringify([startupProbe, readinessProbe, livenessProbe]);
  const number = new RegExp(`(?<![\\d.])${port}(?![\\d.])`);
  return [probes, ...words, ...environment.values(), ...files].some((text) => number.test(text));
}

/** The files that a container gets from ConfigMaps. */
function filesOf(
  { container }: Configured,
  { volumes }: PodObject['spec'],
  configMaps: DataObjects,
): string[] {
  const mounted = volumes.filter(({ name }) =>
    container.volumeMounts.some((mount) => mount.name === name),
  );
  return mounted
    .flatMap((volume) => [volume, ...(volume.projected?.sources ?? [])])
    .flatMap(({ configMap }) => (configMap ? [configMaps[configMap.name ?? '']] : []))
    .flatMap((data) => Object.values(data ?? {}).map(String));
}
