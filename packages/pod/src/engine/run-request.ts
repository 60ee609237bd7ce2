import { expand } from '../manifest/expand.ts';
import { parseQuantity } from '../manifest/schema/quantity.ts';
import type { ContainerSpec, PodObject } from '../manifest/types.ts';
import type { Mount } from '../volumes/pod-volumes.ts';
import type { ImageInfo, RunRequest } from './engine.ts';
import type { EngineName } from './find.ts';

/** The Pod and sandbox that a container is started in. */
export interface PodPlace {
  readonly engine: EngineName;
  readonly pod: PodObject;
  /** The container that holds the Pod's namespaces. */
  readonly infra: string;
  readonly labels: readonly string[];
}

/** A container's inputs other than its spec. */
export interface ContainerInputs {
  readonly attempt: number;
  readonly image: ImageInfo;
  readonly environment: ReadonlyMap<string, string>;
  readonly mounts: readonly Mount[];
}

/** Translates a container's spec into flags of `run`. */
export function runRequest(
  place: PodPlace,
  container: ContainerSpec,
  { attempt, image, environment, mounts }: ContainerInputs,
): RunRequest {
  const { pod, infra, engine, labels } = place;
  const [entry, ...rest] = container.command.map((word) => expand(word, environment));
  const args = container.args.map((word) => expand(word, environment));
  return {
    name: `${infra}-${container.name}-${attempt}`,
    image: container.image,
    flags: [
      ...labels.map((label) => `--label=${label}`),
      `--label=dev.sidekit.container=${container.name}`,
      `--network=container:${infra}`,
      `--ipc=container:${infra}`,
      // Docker takes the host name of the container whose network is shared.
      ...(engine === 'podman' ? [`--uts=container:${infra}`] : []),
      ...(pod.spec.shareProcessNamespace ? [`--pid=container:${infra}`] : []),
      '--restart=no',
      // A health check of the image is Docker's: Kubernetes has probes instead.
      '--no-healthcheck',
      `--log-driver=${engine === 'podman' ? 'k8s-file' : 'json-file'}`,
      ...(container.workingDir ? [`--workdir=${container.workingDir}`] : []),
      ...(entry === undefined ? [] : [`--entrypoint=${entry}`]),
      ...mounts.map(mountFlag),
      ...securityFlags(place, container, image),
      ...resourceFlags(container),
    ],
    environment,
    // As in Kubernetes, a command without args has none: the image's args belong to its entry point.
    args: [...rest, ...args],
  };
}

function mountFlag({ source, target, readOnly }: Mount): string {
  return `--volume=${source}:${target}:${readOnly ? 'ro' : 'rw'}`;
}

function securityFlags(
  { pod, engine }: PodPlace,
  { securityContext: own }: ContainerSpec,
  image: ImageInfo,
): string[] {
  const shared = pod.spec.securityContext;
  const groups = [...(shared?.supplementalGroups ?? [])];
  if (shared?.fsGroup !== undefined) groups.push(shared.fsGroup);
  const seccomp = own?.seccompProfile ?? shared?.seccompProfile;
  const appArmor = own?.appArmorProfile ?? shared?.appArmorProfile;
  const user = userOf(pod, own, image);
  const flags = [
    ...(user === undefined ? [] : [`--user=${user}`]),
    ...groups.map((id) => `--group-add=${id}`),
    ...(own?.privileged ? ['--privileged'] : []),
    ...(own?.capabilities?.drop ?? []).map((name) => `--cap-drop=${name}`),
    ...(own?.capabilities?.add ?? []).map((name) => `--cap-add=${name}`),
    ...(own?.allowPrivilegeEscalation === false ? ['--security-opt=no-new-privileges'] : []),
    // A Pod without a profile is unconfined in Kubernetes; the engine's default is kept here
    // unless Unconfined is requested, since it is the stricter of the two.
    ...(seccomp?.type === 'Unconfined' ? ['--security-opt=seccomp=unconfined'] : []),
    ...(appArmor?.type === 'Unconfined' ? ['--security-opt=apparmor=unconfined'] : []),
  ];
  if (own?.readOnlyRootFilesystem) {
    flags.push('--read-only');
    // Podman would mount writable tmpfs over /tmp and more, which Kubernetes does not.
    if (engine === 'podman') flags.push('--read-only-tmpfs=false');
  }
  return flags;
}

/** `uid[:gid]`; a group alone goes with the image's user. */
function userOf(
  { spec }: PodObject,
  own: ContainerSpec['securityContext'],
  image: ImageInfo,
): string | undefined {
  const user = own?.runAsUser ?? spec.securityContext?.runAsUser;
  const group = own?.runAsGroup ?? spec.securityContext?.runAsGroup;
  if (group === undefined) return user === undefined ? undefined : String(user);
  return `${user ?? (image.user.split(':')[0] || 0)}:${group}`;
}

function resourceFlags({ resources: { limits, requests } }: ContainerSpec): string[] {
  const memory = limits.memory === undefined ? 0 : Math.ceil(parseQuantity(limits.memory));
  const cpu = limits.cpu === undefined ? 0 : parseQuantity(limits.cpu);
  const share = parseQuantity(requests.cpu ?? limits.cpu ?? 0);
  return [
    // The least quota that a kernel takes is 1 ms of each 100 ms.
    ...(cpu > 0 ? [`--cpus=${Math.max(0.01, cpu)}`] : []),
    ...(memory > 0 ? [`--memory=${memory}`, `--memory-swap=${memory}`] : []),
    // cgroup v1 shares of a request, at least 2 (kubelet: MilliCPUToShares).
    ...(share > 0 ? [`--cpu-shares=${Math.max(2, Math.floor(share * 1024))}`] : []),
  ];
}
