import { join } from 'node:path';
import { addressOf } from '../engine/address.ts';
import type { Engine } from '../engine/engine.ts';
import { PAUSE_IMAGE } from '../engine/pause-image.ts';
import { portNumber } from '../manifest/references/port-number.ts';
import type { ContainerSpec, PodSpec } from '../manifest/types.ts';
import type { PodRecord } from '../store/record.ts';
import { hostnameOf } from './endpoints.ts';

/** The container that owns a Pod's network, IPC and published ports. */
export interface Sandbox {
  readonly name: string;
  readonly id: string;
  readonly podIP: string;
  /** Returns the address that leads from this machine to a port of the Pod. */
  readonly reach: (port: number) => { readonly host: string; readonly port: number };
}

/** Returns a unique container name: Pods of two stores may have the same name. */
export function sandboxName({ pod, uid }: Pick<PodRecord, 'pod' | 'uid'>): string {
  return `pod-${pod.metadata.name}-${uid.slice(0, 8)}`;
}

/** Starts the sandbox. @throws {ExpectedError} if the engine cannot. */
export async function startSandbox(
  engine: Engine,
  record: PodRecord,
  labels: readonly string[],
): Promise<Sandbox> {
  const { pod, hostPorts } = record;
  const name = sandboxName(record);
  const indirect = engine.direct ? [] : portsToReach(record);
  const pidFile = engine.writesPid ? join(record.volumes, '.sandbox.pid') : undefined;
  const id = await engine.run({
    name,
    image: PAUSE_IMAGE,
    args: [],
    flags: [
      ...labels.map((label) => `--label=${label}`),
      `--hostname=${hostnameOf(pod)}`,
      '--ipc=shareable',
      '--cap-drop=ALL',
      '--security-opt=no-new-privileges',
      '--read-only',
      ...(pod.spec.securityContext?.sysctls ?? []).map(
        ({ name: key, value }) => `--sysctl=${key}=${value}`,
      ),
      ...dnsFlags(pod.spec),
      ...(pidFile === undefined ? [] : [`--pidfile=${pidFile}`]),
      ...hostPorts.map(
        ({ hostIP, hostPort, containerPort, protocol }) =>
          `--publish=${hostIP}:${hostPort}:${containerPort}/${protocol.toLowerCase()}`,
      ),
      ...indirect.map((port) => `--publish=127.0.0.1::${port}`),
    ],
  });
  const podIP = (pidFile && addressOf(pidFile)) ?? (await engine.address(id));
  const published =
    indirect.length > 0 ? await engine.publishedPorts(id) : new Map<number, number>();
  return {
    name,
    id,
    podIP,
    reach: (port) => {
      const host = published.get(port);
      return host === undefined ? { host: podIP, port } : { host: '127.0.0.1', port: host };
    },
  };
}

function dnsFlags({ dnsConfig }: PodSpec): string[] {
  if (!dnsConfig) return [];
  return [
    ...dnsConfig.nameservers.map((server) => `--dns=${server}`),
    ...dnsConfig.searches.map((domain) => `--dns-search=${domain}`),
    ...dnsConfig.options.map(({ name, value }) =>
      value === undefined ? `--dns-option=${name}` : `--dns-option=${name}:${value}`,
    ),
  ];
}

/** Lists the ports that must be published if the Pod's own address is not reachable. */
function portsToReach({ pod, services }: PodRecord): number[] {
  const all = [...pod.spec.initContainers, ...pod.spec.containers];
  const targets = services.flatMap(({ ports }) => ports.map(({ target }) => target));
  return [...new Set([...all.flatMap(probedPorts), ...targets])];
}

function probedPorts(container: ContainerSpec): number[] {
  const { startupProbe, readinessProbe, livenessProbe, lifecycle } = container;
  const handlers = [
    ...[startupProbe, readinessProbe, livenessProbe].flatMap((probe) => [
      probe?.httpGet,
      probe?.tcpSocket,
    ]),
    lifecycle?.postStart?.httpGet,
    lifecycle?.preStop?.httpGet,
  ];
  return handlers.flatMap((handler) =>
    handler && !handler.host ? (portNumber([container], handler.port) ?? []) : [],
  );
}
