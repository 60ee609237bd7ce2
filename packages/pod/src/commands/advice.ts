import { portNumber } from '../manifest/references/port-number.ts';
import { selects } from '../manifest/references/selector.ts';
import type { ContainerSpec, PodObject, ServiceObject, Workload } from '../manifest/types.ts';
import { isWritable } from '../volumes/files.ts';

/** Warns about manifests that are valid and do not work in practice; a sentence each. */
export function advice({ pods, services }: Workload): string[] {
  const lines = pods.flatMap((pod) => {
    const name = pod.owner ? `${pod.owner.kind} ${pod.owner.name}` : `Pod ${pod.metadata.name}`;
    return [...sharedPorts(pod), ...proxies(pod), ...volumes(pod), ...globs(pod)].map(
      (line) => `${name}: ${line}`,
    );
  });
  // Replicas have the same faults.
  return [...new Set([...lines, ...pastProxy(services, pods)])];
}

/** Containers of a Pod share one network: a port has one owner. */
function sharedPorts({ spec }: PodObject): string[] {
  const owners = new Map<string, string>();
  return containersOf(spec).flatMap(({ name, ports }) =>
    ports.flatMap(({ containerPort, protocol }) => {
      const key = `${containerPort}/${protocol}`;
      const owner = owners.get(key);
      owners.set(key, name);
      return owner === undefined || owner === name
        ? []
        : [
            `containers ${owner} and ${name} both declare port ${key}, which only one can listen on`,
          ];
    }),
  );
}

function proxies(pod: PodObject): string[] {
  return containersOf(pod.spec).flatMap((container) => {
    const { listen, upstream } = proxyPorts(container);
    return upstream !== undefined && upstream === listen
      ? [`container ${container.name} has itself as its upstream (port ${upstream})`]
      : [];
  });
}

/** A Service whose port leads to the application although a proxy is in front of it. */
function pastProxy(services: readonly ServiceObject[], pods: readonly PodObject[]): string[] {
  return services.flatMap(({ metadata, selector, ports }) => {
    const pod = pods.find(
      (one) =>
        one.metadata.namespace === metadata.namespace && selects(selector, one.metadata.labels),
    );
    if (!pod) return [];
    const all = containersOf(pod.spec).map((container) => ({
      container,
      ...proxyPorts(container),
    }));
    return ports.flatMap(({ port, targetPort }) => {
      const target = portNumber(containersOf(pod.spec), targetPort);
      const proxy = all.find(
        ({ upstream, listen }) =>
          upstream !== undefined && upstream === target && listen !== target,
      );
      return proxy
        ? [
            `Service ${metadata.name}: port ${port} leads past the proxy ${proxy.container.name} to its upstream; its targetPort should be ${proxy.listen}`,
          ]
        : [];
    });
  });
}

/** The listener and the upstream on loopback of an ambassador, by its arguments or environment. */
function proxyPorts(container: ContainerSpec): { listen?: number; upstream?: number } {
  const { image } = container;
  if (!/(^|\/)ambassador([:@]|$)/.test(image)) return {};
  const listen = portOf(option(container, '--listen', 'AMBASSADOR_LISTEN'));
  const target = option(container, '--upstream', 'AMBASSADOR_UPSTREAM');
  const local = /^(\w+:\/\/)?(127\.\d+\.\d+\.\d+|localhost|\[::1\]):\d+/.test(target ?? '');
  const upstream = local
    ? portOf(target?.replace(/^\w+:\/\//, '').replace(/\/.*$/, ''))
    : undefined;
  return {
    ...(listen === undefined ? {} : { listen }),
    ...(upstream === undefined ? {} : { upstream }),
  };
}

function option({ args, command, env }: ContainerSpec, flag: string, variable: string) {
  const words = [...command, ...args];
  const at = words.findIndex((word) => word === flag || word.startsWith(`${flag}=`));
  if (at >= 0) return words[at]?.includes('=') ? words[at]?.split(/=(.*)/s)[1] : words[at + 1];
  return env.find(({ name }) => name === variable)?.value;
}

function portOf(address: string | undefined): number | undefined {
  const [, port] = /:(\d+)$/.exec(address ?? '') ?? [];
  return port === undefined ? undefined : Number(port);
}

/** emptyDirs are empty: a volume that nobody can write stays so. */
function volumes({ spec }: PodObject): string[] {
  const containers = [...spec.initContainers, ...spec.containers];
  return spec.volumes.flatMap(({ name }) => {
    const mounts = containers.flatMap(({ volumeMounts }) =>
      volumeMounts.filter((mount) => mount.name === name),
    );
    if (mounts.length === 0) return [`volume ${name} is mounted by no container`];
    const empty = spec.volumes.find((one) => one.name === name)?.emptyDir !== undefined;
    return empty && isWritable(name, spec) && mounts.every(({ readOnly }) => readOnly)
      ? [`emptyDir ${name} is mounted read-only by every container: it stays empty`]
      : [];
  });
}

/** A log shipper whose files are in none of its volumes sees nothing of other containers. */
function globs({ spec }: PodObject): string[] {
  return containersOf(spec).flatMap((container) => {
    const { image, name, volumeMounts } = container;
    if (!/(^|\/)adapter([:@]|$)/.test(image)) return [];
    const glob = option(container, '--include', 'ADAPTER_INCLUDE');
    if (!glob?.startsWith('/')) return [];
    // Up to the first wildcard: a mount may be below it.
    const fixed = glob.replace(/[*?[{].*$/s, '');
    const inside = volumeMounts.some(({ mountPath }) => {
      const folder = `${mountPath.replace(/\/$/, '')}/`;
      return `${glob}/`.startsWith(folder) || (fixed !== glob && folder.startsWith(fixed));
    });
    return inside ? [] : [`container ${name} reads ${glob}, which is in none of its volumeMounts`];
  });
}

function containersOf({ initContainers, containers }: PodObject['spec']): ContainerSpec[] {
  return [...initContainers.filter(({ restartPolicy }) => restartPolicy), ...containers];
}
