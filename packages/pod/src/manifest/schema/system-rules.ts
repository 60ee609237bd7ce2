import { isRecord, type Path, type Reader } from '@sidekit/core/schema';

/** Fields that only Linux has (core validation: validateWindows), of a Pod and of a security context. */
const OF_LINUX_PODS = ['hostPID', 'hostIPC', 'hostUsers', 'shareProcessNamespace', 'resources'];
const OF_LINUX = ['runAsUser', 'runAsGroup', 'seccompProfile', 'seLinuxOptions', 'appArmorProfile'];
const OF_LINUX_POD_CONTEXTS = [
  ...OF_LINUX,
  'fsGroup',
  'fsGroupChangePolicy',
  'supplementalGroups',
  'supplementalGroupsPolicy',
  'seLinuxChangePolicy',
  'sysctls',
];
const OF_LINUX_CONTAINERS = [
  ...OF_LINUX,
  'capabilities',
  'readOnlyRootFilesystem',
  'privileged',
  'allowPrivilegeEscalation',
  'procMount',
];
/** The one that only Windows has (core validation: validateLinux). */
const OF_WINDOWS = ['windowsOptions'];

/**
 * Reports the fields of a Pod's spec that an API server refuses for the operating system that the
 * Pod names. They are read as written, since a default is no fault.
 */
export function forSystem<T>(read: Reader<T>): Reader<T> {
  return (value, path, report) => {
    const result = read(value, path, report);
    const faults = systemFaults(value);
    for (const { at, system } of faults) {
      report([...path, ...at], { rule: `must not be set in a Pod with os.name: ${system}` });
    }
    return faults.length === 0 ? result : undefined;
  };
}

function systemFaults(spec: unknown): { at: Path; system: string }[] {
  if (!isRecord(spec) || !isRecord(spec.os)) return [];
  const system = spec.os.name;
  if (system !== 'windows' && system !== 'linux') return [];
  const windows = system === 'windows';
  const found: Path[] = [];
  const check = (value: unknown, at: Path, refused: readonly string[]) => {
    if (!isRecord(value)) return;
    for (const field of refused) if (isSet(field, value[field])) found.push([...at, field]);
  };
  if (windows) check(spec, [], OF_LINUX_PODS);
  check(spec.securityContext, ['securityContext'], windows ? OF_LINUX_POD_CONTEXTS : OF_WINDOWS);
  for (const field of ['initContainers', 'containers']) {
    const all = spec[field];
    for (const [index, container] of (Array.isArray(all) ? all : []).entries()) {
      if (!isRecord(container)) continue;
      const at = [field, index, 'securityContext'];
      check(container.securityContext, at, windows ? OF_LINUX_CONTAINERS : OF_WINDOWS);
    }
  }
  return found.map((at) => ({ at, system }));
}

/** False and an empty list are choices, too, except for the fields whose default they are. */
function isSet(field: string, value: unknown): boolean {
  if (field === 'hostPID' || field === 'hostIPC') return value === true;
  if (field === 'sysctls' && Array.isArray(value)) return value.length > 0;
  return value !== undefined && value !== null;
}
