import { join } from 'node:path';
import { expand } from '../manifest/expand.ts';
import { parseQuantity } from '../manifest/quantity.ts';
import type { ContainerSpec, PodObject, Workload } from '../manifest/types.ts';
import type { RunRequest } from './engine.ts';
import { environmentOf } from './environment.ts';
import type { EngineName } from './find.ts';

export interface PodPlace {
  readonly engine: EngineName;
  readonly pod: PodObject;
  readonly data: Pick<Workload, 'configMaps' | 'secrets'>;
  /** The container that holds the Pod's namespaces. */
  readonly infra: string;
  readonly podIP: string;
  /** Where the Pod's volumes are on the host, a folder each. */
  readonly volumes: string;
  /** The Pod's /etc/hosts on the host. */
  readonly hosts: string;
  readonly label: string;
}

/** How a container of a Pod is started: everything of its spec, as flags of `run`. */
export function runRequest(place: PodPlace, container: ContainerSpec, attempt: number): RunRequest {
  const { pod, infra } = place;
  const variables = environmentOf(container, place, place.data);
  const command = container.command?.map((word) => expand(word, variables));
  const args = container.args?.map((word) => expand(word, variables));
  const [entry, ...rest] = command ?? [];
  return {
    name: `${infra}-${container.name}-${attempt}`,
    image: container.image,
    flags: [
      `--label=${place.label}`,
      `--label=dev.sidekit.container=${container.name}`,
      `--network=container:${infra}`,
      `--ipc=container:${infra}`,
      ...(pod.spec.shareProcessNamespace ? [`--pid=container:${infra}`] : []),
      '--restart=no',
      ...[...variables].map(([name, value]) => `--env=${name}=${value}`),
      ...(container.workingDir ? [`--workdir=${container.workingDir}`] : []),
      ...(entry === undefined ? [] : [`--entrypoint=${entry}`]),
      ...mountFlags(place, container),
      ...securityFlags(place, container),
      ...resourceFlags(container),
    ],
    // As in Kubernetes, a command without args has none: those of the image go with its entry point.
    args: [...rest, ...(args ?? [])],
  };
}

function mountFlags(
  { volumes, hosts, pod }: PodPlace,
  { volumeMounts = [] }: ContainerSpec,
): string[] {
  const mounts = volumeMounts.map(({ name, mountPath, subPath, readOnly }) => {
    const spec = pod.spec.volumes?.find((volume) => volume.name === name);
    const source = join(volumes, name, subPath ?? '');
    const fixed = readOnly || spec?.emptyDir === undefined;
    return `--mount=type=bind,source=${source},target=${mountPath}${fixed ? ',readonly' : ''}`;
  });
  return [...mounts, `--mount=type=bind,source=${hosts},target=/etc/hosts,readonly`];
}

function securityFlags(
  { pod, engine }: PodPlace,
  { securityContext: own = {} }: ContainerSpec,
): string[] {
  const shared = pod.spec.securityContext ?? {};
  const user = own.runAsUser ?? shared.runAsUser;
  const group = own.runAsGroup ?? shared.runAsGroup;
  const seccomp = (own.seccompProfile ?? shared.seccompProfile)?.type;
  const groups = [
    ...(shared.supplementalGroups ?? []),
    ...(shared.fsGroup === undefined ? [] : [shared.fsGroup]),
  ];
  const flags = [
    ...(user === undefined ? [] : [`--user=${user}${group === undefined ? '' : `:${group}`}`]),
    ...groups.map((id) => `--group-add=${id}`),
    ...(own.privileged ? ['--privileged'] : []),
    ...(own.capabilities?.drop ?? []).map((name) => `--cap-drop=${name}`),
    ...(own.capabilities?.add ?? []).map((name) => `--cap-add=${name}`),
    ...(own.allowPrivilegeEscalation === false ? ['--security-opt=no-new-privileges'] : []),
    // A Pod without a profile is unconfined in Kubernetes; the engine's default is kept here
    // unless it is asked for, since it is the stricter of the two.
    ...(seccomp === 'Unconfined' ? ['--security-opt=seccomp=unconfined'] : []),
  ];
  if (own.readOnlyRootFilesystem) {
    flags.push('--read-only');
    // Podman would mount writable tmpfs over /tmp and more, which Kubernetes does not.
    if (engine === 'podman') flags.push('--read-only-tmpfs=false');
  }
  return flags;
}

function resourceFlags({ resources = {} }: ContainerSpec): string[] {
  const { limits = {}, requests = {} } = resources;
  const cpu = limits.cpu === undefined ? undefined : parseQuantity(limits.cpu);
  const memory = limits.memory === undefined ? undefined : parseQuantity(limits.memory);
  const share = parseQuantity(requests.cpu ?? limits.cpu ?? '0') ?? 0;
  return [
    ...(cpu === undefined ? [] : [`--cpus=${cpu}`]),
    ...(memory === undefined
      ? []
      : [`--memory=${Math.ceil(memory)}`, `--memory-swap=${Math.ceil(memory)}`]),
    // cgroup v1 shares of a request, at least 2 (kubelet, MilliCPUToShares).
    ...(share > 0 ? [`--cpu-shares=${Math.max(2, Math.floor(share * 1024))}`] : []),
  ];
}
