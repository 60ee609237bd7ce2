import { readFileSync } from 'node:fs';
import type { EngineName } from './find.ts';

/** Capabilities of a container, as both engines take them. */
export interface Capabilities {
  readonly add: readonly string[];
  readonly drop: readonly string[];
}

/** All capabilities by number, from 0 (capabilities(7), linux/capability.h). */
const ALL: readonly string[] = [
  ...['CHOWN', 'DAC_OVERRIDE', 'DAC_READ_SEARCH', 'FOWNER', 'FSETID', 'KILL', 'SETGID', 'SETUID'],
  ...['SETPCAP', 'LINUX_IMMUTABLE', 'NET_BIND_SERVICE', 'NET_BROADCAST', 'NET_ADMIN', 'NET_RAW'],
  ...['IPC_LOCK', 'IPC_OWNER', 'SYS_MODULE', 'SYS_RAWIO', 'SYS_CHROOT', 'SYS_PTRACE', 'SYS_PACCT'],
  ...['SYS_ADMIN', 'SYS_BOOT', 'SYS_NICE', 'SYS_RESOURCE', 'SYS_TIME', 'SYS_TTY_CONFIG', 'MKNOD'],
  ...['LEASE', 'AUDIT_WRITE', 'AUDIT_CONTROL', 'SETFCAP', 'MAC_OVERRIDE', 'MAC_ADMIN', 'SYSLOG'],
  ...['WAKE_ALARM', 'BLOCK_SUSPEND', 'AUDIT_READ', 'PERFMON', 'BPF', 'CHECKPOINT_RESTORE'],
];

/**
 * Translates capabilities for a process of a user. Kubernetes has no ambient set: what is added
 * stays in the bounding set of a process that is not root's, and reaches it only through a file's
 * capabilities. Docker does the same. Podman would make it effective and ambient; what it grants
 * by default stays in the bounding set if everything else is dropped by name. What it does not
 * grant by default is dropped, too.
 */
export function capabilitiesFor(
  engine: EngineName,
  user: string | undefined,
  { add = [], drop = [] }: Partial<Capabilities> = {},
): Capabilities {
  if (engine === 'docker' || isRoot(user)) return { add, drop };
  const dropped = new Set(drop.map(plain));
  const kept = new Set(add.map(plain).filter((name) => name !== 'ALL' && !dropped.has(name)));
  if (!dropped.has('ALL') || kept.size === 0) return { add: [], drop };
  return { add: [], drop: known().filter((name) => !kept.has(name)) };
}

/** Those of this kernel: Podman refuses the name of another one. */
function known(): readonly string[] {
  try {
    return ALL.slice(0, Number(readFileSync('/proc/sys/kernel/cap_last_cap', 'utf8')) + 1);
  } catch {
    return ALL;
  }
}

/** `uid[:gid]` or a name; empty for an image without a user. */
function isRoot(user = ''): boolean {
  const [name = ''] = user.split(':');
  return name === '' || name === 'root' || /^0+$/.test(name);
}

function plain(name: string): string {
  return name.toUpperCase().replace(/^CAP_/, '');
}
