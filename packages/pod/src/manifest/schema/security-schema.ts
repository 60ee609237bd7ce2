import {
  Broken,
  boolean,
  type Collect,
  checked,
  defaulted,
  list,
  optional,
  type Path,
  type Read,
  required,
  text,
} from '@sidekit/core/schema';
import { anything, choice, reachesHost, struct } from './support.ts';
import { int32 } from './values.ts';

const profile = struct(
  { type: required(choice(['RuntimeDefault', 'Unconfined'], ['Localhost'])) },
  { unsupported: ['localhostProfile'] },
);

export const securityContext = checked(
  struct(
    {
      runAsUser: optional(int32(0)),
      runAsGroup: optional(int32(0)),
      runAsNonRoot: optional(boolean),
      readOnlyRootFilesystem: defaulted(boolean, false),
      allowPrivilegeEscalation: optional(boolean),
      privileged: defaulted(
        reachesHost(boolean, (value) => value),
        false,
      ),
      capabilities: optional(
        struct({
          // NET_BIND_SERVICE is the one that Pod Security "restricted" lets a Pod add.
          add: defaulted(
            reachesHost(list(text(capability)), (names) =>
              names.some((name) => !/^(CAP_)?NET_BIND_SERVICE$/.test(name)),
            ),
            [],
          ),
          drop: defaulted(list(text(capability)), []),
        }),
      ),
      seccompProfile: optional(profile),
      appArmorProfile: optional(profile),
      procMount: defaulted(choice(['Default'], ['Unmasked']), 'Default'),
      windowsOptions: optional(anything),
    },
    { unsupported: ['seLinuxOptions'] },
  ),
  ({ allowPrivilegeEscalation, privileged, capabilities }, report) => {
    if (allowPrivilegeEscalation !== false) return;
    const at = ['allowPrivilegeEscalation'];
    if (privileged) report(at, { rule: 'cannot be false in a privileged container' });
    // Only with its prefix: an API server compares the name as it is written (ValidateSecurityContext).
    if (capabilities?.add.includes('CAP_SYS_ADMIN')) {
      report(at, { rule: 'cannot be false with the capability CAP_SYS_ADMIN' });
    }
  },
);

function capability(value: string): Broken | undefined {
  return /^[A-Z_]+$/.test(value)
    ? undefined
    : new Broken('must be a capability such as NET_ADMIN, or ALL');
}

export const podSecurityContext = struct(
  {
    runAsUser: optional(int32(0)),
    runAsGroup: optional(int32(0)),
    runAsNonRoot: optional(boolean),
    fsGroup: optional(int32(0)),
    fsGroupChangePolicy: defaulted(choice(['Always', 'OnRootMismatch']), 'Always'),
    supplementalGroups: defaulted(list(int32(0)), []),
    supplementalGroupsPolicy: defaulted(choice(['Merge'], ['Strict']), 'Merge'),
    seccompProfile: optional(profile),
    appArmorProfile: optional(profile),
    sysctls: defaulted(
      list(struct({ name: required(sysctlName), value: required(text()) }), {
        unique: 'name',
      }),
      [],
    ),
    windowsOptions: optional(anything),
  },
  { unsupported: ['seLinuxOptions', 'seLinuxChangePolicy'] },
);

/** Reads a name as sysctl(8) takes it, with dots or with slashes, and gives it with dots. */
function sysctlName(value: unknown, path: Path, report: Collect): string | undefined {
  const slashes = typeof value === 'string' && /^[^.]*\//.test(value);
  const dotted = slashes ? value.replace(/[./]/g, (sign) => (sign === '/' ? '.' : '/')) : value;
  return text(sysctlRule)(dotted, path, report);
}

/** Only what belongs to the Pod's own IPC and network namespaces can be set. */
function sysctlRule(value: string): Broken | undefined {
  return /^(fs\.mqueue\.|kernel\.(msg|shm|sem)|net\.)/.test(value)
    ? undefined
    : new Broken(
        'is not supported by pod: only fs.mqueue.*, kernel.msg*, kernel.shm*, kernel.sem and net.* belong to a Pod',
      );
}

export type SecurityContext = Read<typeof securityContext>;

export type PodSecurityContext = Read<typeof podSecurityContext>;
