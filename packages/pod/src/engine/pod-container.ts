import { expand } from '../manifest/expand.ts';
import { parseQuantity } from '../manifest/schema/quantity.ts';
import type { ContainerSpec, PodObject } from '../manifest/types.ts';
import { capabilitiesFor } from './capabilities.ts';
import type { ContainerConfig, Mount, ResourceLimits } from './container-config.ts';
import type { ImageInfo } from './engine.ts';
import type { EngineName } from './find.ts';
import { ATTEMPT_LABEL, CONTAINER_LABEL } from './labels.ts';

/** The Pod and sandbox that a container is started in. */
export interface PodPlace {
  readonly engine: EngineName;
  readonly pod: PodObject;
  /** The container that holds the Pod's namespaces; the names of the others begin with its name. */
  readonly sandbox: { readonly id: string; readonly name: string };
  readonly labels: Readonly<Record<string, string>>;
}

/** A container's inputs other than its spec. */
export interface ContainerInputs {
  readonly attempt: number;
  readonly image: ImageInfo;
  readonly environment: ReadonlyMap<string, string>;
  readonly mounts: readonly Mount[];
}

/** Translates a container's spec for the engine. */
export function podContainer(
  place: PodPlace,
  container: ContainerSpec,
  { attempt, image, environment, mounts }: ContainerInputs,
): ContainerConfig {
  const { pod, sandbox, labels } = place;
  const find = (name: string) => environment.get(name);
  const command = container.command.map((word) => expand(word, find));
  const args = container.args.map((word) => expand(word, find));
  const { securityContext: own } = container;
  const { securityContext: shared, shareProcessNamespace, hostPID, hostIPC } = pod.spec;
  const seccomp = own?.seccompProfile ?? shared?.seccompProfile;
  const appArmor = own?.appArmorProfile ?? shared?.appArmorProfile;
  const user = userOf(pod, own, image);
  const groups = [...(shared?.supplementalGroups ?? [])];
  if (shared?.fsGroup !== undefined) groups.push(shared.fsGroup);
  return {
    name: `${sandbox.name}-${container.name}-${attempt}`,
    image: container.image,
    // As in Kubernetes, a command without args has none: the image's args belong to its entry point.
    ...(command.length > 0 ? { entrypoint: command } : {}),
    ...(command.length > 0 || args.length > 0 ? { args } : {}),
    environment,
    labels: {
      ...labels,
      [CONTAINER_LABEL]: container.name,
      [ATTEMPT_LABEL]: String(attempt),
    },
    user,
    groups,
    workingDir: container.workingDir,
    mounts,
    capabilities: capabilitiesFor(place.engine, user ?? image.user, own?.capabilities),
    privileged: own?.privileged ?? false,
    noNewPrivileges: own?.allowPrivilegeEscalation === false,
    readOnlyRoot: own?.readOnlyRootFilesystem ?? false,
    // A Pod without a profile is unconfined in Kubernetes; the engine's default is kept here
    // unless Unconfined is requested, since it is the stricter of the two.
    unconfined: {
      seccomp: seccomp?.type === 'Unconfined',
      appArmor: appArmor?.type === 'Unconfined',
    },
    limits: limitsOf(container),
    tty: container.tty,
    stdin: container.stdin,
    namespaces: {
      sandbox: sandbox.id,
      processes: hostPID ? 'host' : shareProcessNamespace ? { container: sandbox.id } : 'own',
      hostIPC,
    },
  };
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

function limitsOf({ resources: { limits, requests } }: ContainerSpec): ResourceLimits {
  const cpus = limits.cpu === undefined ? 0 : parseQuantity(limits.cpu);
  const share = parseQuantity(requests.cpu ?? limits.cpu ?? 0);
  return {
    memory: limits.memory === undefined ? 0 : Math.ceil(parseQuantity(limits.memory)),
    // The least quota that a kernel takes is 1 ms of each 100 ms.
    cpus: cpus > 0 ? Math.max(0.01, cpus) : 0,
    // cgroup v1 shares of a request, at least 2 (kubelet: MilliCPUToShares).
    cpuShares: share > 0 ? Math.max(2, Math.floor(share * 1024)) : 0,
  };
}
