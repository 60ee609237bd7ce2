import { errorText } from '@sidekit/core/tool';
import type { ContainerConfig, OwnNamespaces } from '../engine/container-config.ts';
import type { Engine } from '../engine/engine.ts';
import { listensIn } from '../engine/listeners.ts';
import { PAUSE_IMAGE } from '../engine/pause-image.ts';
import { portNumber } from '../manifest/references/port-number.ts';
import type { ContainerSpec, PodSpec } from '../manifest/types.ts';
import type { PodRecord } from '../store/record.ts';
import type { Volumes } from '../volumes/volumes.ts';
import { hostnameOf } from './endpoints.ts';
import type { Address } from './handlers/handler.ts';

/** The container that owns a Pod's network, IPC and published ports. */
export interface Sandbox {
  readonly name: string;
  readonly id: string;
  readonly podIP: string;
  /** Returns the address that leads from this machine to a port of the Pod. */
  readonly reach: (port: number) => Address;
  /** Whether a program listens on a port of the Pod; undefined if only a connection can tell. */
  readonly listens: (port: number) => boolean | undefined;
}

/** The most of a Pod's name in the names of its containers: engines and their files limit them. */
const NAME = 40;

/** Returns a unique container name: Pods of two stores may have the same name. */
export function sandboxName({ pod, uid }: Pick<PodRecord, 'pod' | 'uid'>, attempt: number): string {
  const name = pod.metadata.name.slice(0, NAME).replace(/[-.]+$/, '');
  return `pod-${name}-${uid.slice(0, 8)}${attempt === 0 ? '' : `-${attempt}`}`;
}

/** Starts the sandbox. @throws {ExpectedError} if the engine cannot. */
export async function startSandbox(
  engine: Engine,
  record: PodRecord,
  labels: Readonly<Record<string, string>>,
  volumes: Volumes,
  attempt = 0,
): Promise<Sandbox> {
  const name = sandboxName(record, attempt);
  const { sandboxMounts: mounts } = volumes;
  const config: ContainerConfig = {
    name,
    image: PAUSE_IMAGE,
    environment: new Map(),
    labels,
    groups: [],
    mounts,
    capabilities: { add: [], drop: ['ALL'] },
    privileged: false,
    noNewPrivileges: true,
    // The engine unpacks into its volumes by way of the root.
    readOnlyRoot: mounts.length === 0,
    unconfined: { seccomp: false, appArmor: false },
    limits: { memory: 0, cpus: 0, cpuShares: 0 },
    tty: false,
    stdin: false,
    namespaces: namespacesOf(engine, record),
  };
  const id = await runWithImage(engine, config, (created) => volumes.prepare(created));
  const info = await engine.inspect(id);
  const podIP = record.pod.spec.hostNetwork ? '127.0.0.1' : (info?.address ?? '');
  return {
    name,
    id,
    podIP,
    reach: (port) => {
      const host = engine.direct ? undefined : info?.published.get(port);
      return host === undefined ? { host: podIP, port } : { host: '127.0.0.1', port: host };
    },
    listens: (port) => (engine.direct ? undefined : listensIn(info?.pid ?? 0, port)),
  };
}

/**
 * Runs a sandbox, and creates the pause image if it is missing: checking first would cost every Pod
 * a call. Another Pod may create it at the same time.
 */
async function runWithImage(engine: Engine, ...args: Parameters<Engine['run']>): Promise<string> {
  for (let tries = 1; ; tries++) {
    try {
      return await engine.run(...args);
    } catch (error) {
      if (tries === 3 || !errorText(error).includes(PAUSE_IMAGE)) throw error;
      await engine.ensurePauseImage();
    }
  }
}

function namespacesOf(engine: Engine, record: PodRecord): OwnNamespaces {
  const { pod, hostPorts } = record;
  const indirect = engine.direct ? [] : portsToReach(record);
  const sysctls = pod.spec.securityContext?.sysctls ?? [];
  return {
    hostNetwork: pod.spec.hostNetwork,
    hostIPC: pod.spec.hostIPC,
    hostname: hostnameOf(pod),
    sysctls: Object.fromEntries(sysctls.map(({ name, value }) => [name, value])),
    dns: dnsOf(pod.spec),
    ports: pod.spec.hostNetwork
      ? []
      : [
          ...hostPorts.map(({ protocol, ...port }) => ({
            ...port,
            protocol: protocol.toLowerCase(),
          })),
          ...indirect.map((containerPort) => ({
            containerPort,
            hostPort: 0,
            hostIP: '127.0.0.1',
            protocol: 'tcp',
          })),
        ],
  };
}

function dnsOf({ dnsConfig }: PodSpec): OwnNamespaces['dns'] {
  const { nameservers = [], searches = [], options = [] } = dnsConfig ?? {};
  return {
    servers: nameservers,
    searches,
    options: options.map(({ name, value }) => (value === undefined ? name : `${name}:${value}`)),
  };
}

/** Lists the ports that must be published if the Pod's own address is not reachable. */
function portsToReach({ pod, services }: PodRecord): number[] {
  const all = [...pod.spec.initContainers, ...pod.spec.containers];
  const targets = services.flatMap(({ ports }) => ports.map(({ target }) => target));
  return [...new Set([...all.flatMap(probedPorts), ...targets])];
}

function probedPorts(container: ContainerSpec): number[] {
  const { startupProbe, readinessProbe, livenessProbe, lifecycle, ports } = container;
  const handlers = [
    ...[startupProbe, readinessProbe, livenessProbe].flatMap((probe) => [
      probe?.httpGet,
      probe?.tcpSocket,
      probe?.grpc && { ...probe.grpc, host: undefined },
    ]),
    lifecycle?.postStart?.httpGet,
    lifecycle?.preStop?.httpGet,
  ];
  return [
    ...handlers.flatMap((handler) =>
      handler && !handler.host ? (portNumber([container], handler.port) ?? []) : [],
    ),
    ...ports.filter(({ protocol }) => protocol === 'TCP').map(({ containerPort }) => containerPort),
  ];
}
