import { type Container, containersOf, type PodSpec } from './pod-spec.ts';

const VOLUMES = [
  ...['configMap', 'csi', 'downwardAPI', 'emptyDir', 'ephemeral'],
  ...['persistentVolumeClaim', 'projected', 'secret'],
];

/**
 * What a Pod breaks of the Pod Security Standard *restricted*
 * (https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted), as sentences;
 * nothing where it would be admitted.
 */
export function notRestricted(spec: PodSpec): string[] {
  const faults: string[] = [];
  for (const field of ['hostNetwork', 'hostPID', 'hostIPC'] as const)
    if (spec[field]) faults.push(`${field} is set`);
  for (const { name, ...volume } of spec.volumes ?? [])
    for (const type of Object.keys(volume))
      if (!VOLUMES.includes(type)) faults.push(`volume ${name} is a ${type}`);
  for (const container of containersOf(spec))
    for (const fault of faultsOf(container, spec)) faults.push(`${container.name}: ${fault}`);
  return faults;
}

function* faultsOf({ securityContext: own = {}, ports = [] }: Container, spec: PodSpec) {
  const { securityContext: shared = {} } = spec;
  if (own.privileged) yield 'privileged';
  if (own.allowPrivilegeEscalation !== false) yield 'allowPrivilegeEscalation is not false';
  if (!(own.runAsNonRoot ?? shared.runAsNonRoot)) yield 'runAsNonRoot is not true';
  if ((own.runAsUser ?? shared.runAsUser) === 0) yield 'runAsUser is 0';
  if (!own.capabilities?.drop?.includes('ALL')) yield 'capabilities are not dropped';
  if (own.capabilities?.add?.some((one) => one !== 'NET_BIND_SERVICE')) yield 'capabilities added';
  const seccomp = (own.seccompProfile ?? shared.seccompProfile)?.type ?? '';
  if (!['RuntimeDefault', 'Localhost'].includes(seccomp)) yield 'no seccompProfile';
  if (ports.some(({ hostPort }) => hostPort)) yield 'hostPort';
}
