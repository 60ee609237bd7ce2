import { checked, defaulted, list, optional, type Read, required, struct } from './reader.ts';
import { boolean, choice, integer, only, text } from './scalars.ts';

export const seccompProfile = struct(
  { type: required(choice(['RuntimeDefault', 'Unconfined'], ['Localhost'])) },
  { refused: ['localhostProfile'] },
);

export const appArmorProfile = struct(
  { type: required(choice(['RuntimeDefault', 'Unconfined'], ['Localhost'])) },
  { refused: ['localhostProfile'] },
);

export const securityContext = checked(
  struct(
    {
      runAsUser: optional(integer(0)),
      runAsGroup: optional(integer(0)),
      runAsNonRoot: optional(boolean),
      readOnlyRootFilesystem: defaulted(boolean, false),
      allowPrivilegeEscalation: optional(boolean),
      privileged: defaulted(boolean, false),
      capabilities: optional(
        struct({
          add: defaulted(list(text(capability)), []),
          drop: defaulted(list(text(capability)), []),
        }),
      ),
      seccompProfile: optional(seccompProfile),
      appArmorProfile: optional(appArmorProfile),
      procMount: defaulted(only('Default'), 'Default'),
    },
    { refused: ['seLinuxOptions', 'windowsOptions'] },
  ),
  ({ allowPrivilegeEscalation, privileged, capabilities }, fault) => {
    if (allowPrivilegeEscalation !== false) return;
    if (privileged)
      fault(['allowPrivilegeEscalation'], 'cannot be false in a privileged container');
    if (capabilities?.add.some((name) => /^(CAP_)?SYS_ADMIN$/.test(name))) {
      fault(['allowPrivilegeEscalation'], 'cannot be false with the capability SYS_ADMIN');
    }
  },
);

function capability(value: string): string | undefined {
  return /^[A-Z_]+$/.test(value) ? undefined : 'must be a capability such as NET_ADMIN, or ALL';
}

export const podSecurityContext = struct(
  {
    runAsUser: optional(integer(0)),
    runAsGroup: optional(integer(0)),
    runAsNonRoot: optional(boolean),
    fsGroup: optional(integer(0)),
    fsGroupChangePolicy: defaulted(choice(['Always', 'OnRootMismatch']), 'Always'),
    supplementalGroups: defaulted(list(integer(0)), []),
    supplementalGroupsPolicy: defaulted(choice(['Merge'], ['Strict']), 'Merge'),
    seccompProfile: optional(seccompProfile),
    appArmorProfile: optional(appArmorProfile),
    sysctls: defaulted(
      list(struct({ name: required(text(sysctlRule)), value: required(text()) }), {
        unique: 'name',
      }),
      [],
    ),
  },
  { refused: ['seLinuxOptions', 'seLinuxChangePolicy', 'windowsOptions'] },
);

/** Only what belongs to the Pod's own IPC and network namespaces can be set. */
function sysctlRule(value: string): string | undefined {
  return /^(fs\.mqueue\.|kernel\.(msg|shm|sem)|net\.)/.test(value)
    ? undefined
    : 'is not supported by pod: only fs.mqueue.*, kernel.msg*, kernel.shm*, kernel.sem and net.* belong to a Pod';
}

export type SecurityContext = Read<typeof securityContext>;

export type PodSecurityContext = Read<typeof podSecurityContext>;
