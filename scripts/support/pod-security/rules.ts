/**
 * The rules of Pod Security *restricted*, which include *baseline*, for Linux Pods as Kubernetes
 * 1.36 has them: https://kubernetes.io/docs/concepts/security/pod-security-standards.
 */
// biome-ignore lint/suspicious/noExplicitAny: manifests are data here
export type Loose = any;

const VOLUME_TYPES = [
  ...['configMap', 'csi', 'downwardAPI', 'emptyDir', 'ephemeral'],
  ...['persistentVolumeClaim', 'projected', 'secret'],
];
const SAFE_SYSCTLS = [
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ping_group_range',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.tcp_wmem',
];
const SELINUX_TYPES = [
  ...['container_t', 'container_init_t', 'container_kvm_t', 'container_engine_t'],
];
const APPARMOR_ANNOTATION = 'container.apparmor.security.beta.kubernetes.io/';

type Report = (path: string, found: unknown, rule: string) => void;

/** A Pod, or the template of one. */
export interface PodTemplate {
  readonly metadata?: Loose;
  readonly spec: Loose;
}

/** Everything that an enforcing namespace would refuse, each with its field, value and rule. */
export function podSecurityFaults({ metadata, spec }: PodTemplate): string[] {
  const faults: string[] = [];
  const report: Report = (path, found, rule) =>
    faults.push(`${path}: ${found === undefined ? 'not set' : JSON.stringify(found)}; ${rule}`);
  for (const field of ['hostNetwork', 'hostPID', 'hostIPC']) {
    if (spec[field]) report(`spec.${field}`, spec[field], 'must be false or left out');
  }
  for (const [name, profile] of Object.entries<string>(metadata?.annotations ?? {})) {
    if (
      name.startsWith(APPARMOR_ANNOTATION) &&
      !/^(runtime\/default|localhost\/.*)?$/.test(profile)
    )
      report(`metadata.annotations[${name}]`, profile, 'must be runtime/default or localhost/*');
  }
  for (const { name, ...source } of spec.volumes ?? []) {
    const types = Object.keys(source);
    if (types.length !== 1 || !VOLUME_TYPES.includes(types[0] ?? ''))
      report(`spec.volumes[${name}]`, types, `must be one of ${VOLUME_TYPES.join(', ')}`);
  }
  for (const { name } of spec.securityContext?.sysctls ?? []) {
    if (!SAFE_SYSCTLS.includes(name))
      report('spec.securityContext.sysctls', name, `must be one of ${SAFE_SYSCTLS.join(', ')}`);
  }
  podContext(spec.securityContext ?? {}, report);
  for (const field of ['initContainers', 'containers', 'ephemeralContainers']) {
    for (const container of spec[field] ?? [])
      containerRules(`spec.${field}[${container.name}]`, container, spec, report);
  }
  return faults;
}

/** A wrong setting of the Pod is refused even where every container has a right one of its own. */
function podContext(context: Loose, report: Report) {
  const path = 'spec.securityContext';
  sharedContext(path, context, report);
  if (context.runAsNonRoot === false) report(`${path}.runAsNonRoot`, false, 'must be true');
  if (context.seccompProfile?.type === 'Unconfined')
    report(`${path}.seccompProfile.type`, 'Unconfined', 'must be RuntimeDefault or Localhost');
}

/** Checks the fields that the security contexts of Pods and containers share. */
function sharedContext(path: string, context: Loose, report: Report) {
  const { runAsUser, windowsOptions, seLinuxOptions = {}, appArmorProfile } = context;
  if (runAsUser === 0) report(`${path}.runAsUser`, 0, 'must not be 0');
  if (windowsOptions?.hostProcess)
    report(`${path}.windowsOptions.hostProcess`, true, 'must be false');
  const { type, user, role } = seLinuxOptions;
  if (type && !SELINUX_TYPES.includes(type))
    report(`${path}.seLinuxOptions.type`, type, `must be one of ${SELINUX_TYPES.join(', ')}`);
  if (user) report(`${path}.seLinuxOptions.user`, user, 'must be left out');
  if (role) report(`${path}.seLinuxOptions.role`, role, 'must be left out');
  if (appArmorProfile?.type === 'Unconfined')
    report(`${path}.appArmorProfile.type`, 'Unconfined', 'must be RuntimeDefault or Localhost');
}

function containerRules(path: string, container: Loose, spec: Loose, report: Report) {
  const own = container.securityContext ?? {};
  const at = `${path}.securityContext`;
  sharedContext(at, own, report);
  if (own.privileged) report(`${at}.privileged`, true, 'must be false or left out');
  if (own.procMount && own.procMount !== 'Default')
    report(`${at}.procMount`, own.procMount, 'must be Default');
  if (own.allowPrivilegeEscalation !== false)
    report(`${at}.allowPrivilegeEscalation`, own.allowPrivilegeEscalation, 'must be false');
  const { drop, add = [] } = own.capabilities ?? {};
  if (!drop?.includes('ALL')) report(`${at}.capabilities.drop`, drop, 'must hold ALL');
  if (add.some((name: string) => name !== 'NET_BIND_SERVICE'))
    report(`${at}.capabilities.add`, add, 'may hold NET_BIND_SERVICE alone');
  // The Pod's setting holds for containers that have none of their own.
  const nonRoot = own.runAsNonRoot ?? spec.securityContext?.runAsNonRoot;
  if (nonRoot !== true) report(`${at}.runAsNonRoot`, nonRoot, 'must be true, here or for the Pod');
  const seccomp = (own.seccompProfile ?? spec.securityContext?.seccompProfile)?.type;
  if (seccomp !== 'RuntimeDefault' && seccomp !== 'Localhost') {
    const rule = 'must be RuntimeDefault or Localhost, here or for the Pod';
    report(`${at}.seccompProfile.type`, seccomp, rule);
  }
  for (const { hostPort } of container.ports ?? []) {
    if (hostPort) report(`${path}.ports.hostPort`, hostPort, 'must be left out');
  }
  for (const [name, handler] of handlers(container)) {
    const host = handler?.httpGet?.host ?? handler?.tcpSocket?.host;
    if (host) report(`${path}.${name}.host`, host, 'must be left out');
  }
}

/** Returns the handlers that may name a host: probes and lifecycle hooks. */
function handlers({ livenessProbe, readinessProbe, startupProbe, lifecycle }: Loose) {
  return Object.entries<Loose>({
    livenessProbe,
    readinessProbe,
    startupProbe,
    'lifecycle.postStart': lifecycle?.postStart,
    'lifecycle.preStop': lifecycle?.preStop,
  });
}
