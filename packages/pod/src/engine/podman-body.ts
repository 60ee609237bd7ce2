import { type ContainerConfig, LOG_SIZE } from './container-config.ts';
import type { ProcessLimit } from './process-limits.ts';

/** The period of a CPU quota, in microseconds. */
const PERIOD = 100_000;

/**
 * Translates a container for `POST /libpod/containers/create` (SpecGenerator of Podman 4 and 5):
 * the compatible API cannot create a missing working directory, and passes on proxy variables.
 */
export function podmanBody(
  config: ContainerConfig,
  processLimits: readonly ProcessLimit[],
): object {
  const { capabilities, limits, namespaces, unconfined, workingDir } = config;
  return {
    name: config.name,
    image: config.image,
    ...(config.entrypoint ? { entrypoint: config.entrypoint } : {}),
    ...(config.args ? { command: config.args } : {}),
    env: Object.fromEntries(config.environment),
    // The host's proxies, and their passwords, are not the container's.
    httpproxy: false,
    labels: config.labels,
    ...(config.user === undefined ? {} : { user: config.user }),
    groups: config.groups.map(String),
    ...(workingDir === undefined ? {} : { work_dir: workingDir, create_working_dir: true }),
    terminal: config.tty,
    stdin: config.stdin,
    systemd: 'false',
    healthconfig: { Test: ['NONE'] },
    restart_policy: 'no',
    log_configuration: { driver: 'k8s-file', size: LOG_SIZE },
    image_volume_mode: 'anonymous',
    mounts: config.mounts.map(({ source, target, readOnly }) => ({
      type: 'bind',
      source,
      destination: target,
      options: [readOnly ? 'ro' : 'rw', 'rbind', 'rprivate'],
    })),
    cap_add: capabilities.add,
    cap_drop: capabilities.drop,
    privileged: config.privileged,
    no_new_privileges: config.noNewPrivileges,
    read_only_filesystem: config.readOnlyRoot,
    ...(unconfined.seccomp ? { seccomp_profile_path: 'unconfined' } : {}),
    ...(unconfined.appArmor ? { apparmor_profile: 'unconfined' } : {}),
    r_limits: processLimits,
    resource_limits: resourceLimits(limits),
    ...('sandbox' in namespaces ? shared(namespaces) : own(namespaces)),
  };
}

function resourceLimits({ memory, cpus, cpuShares }: ContainerConfig['limits']) {
  const cpu = {
    ...(cpus > 0 ? { quota: Math.round(cpus * PERIOD), period: PERIOD } : {}),
    ...(cpuShares > 0 ? { shares: cpuShares } : {}),
  };
  return {
    ...(memory > 0 ? { memory: { limit: memory, swap: memory } } : {}),
    ...(Object.keys(cpu).length > 0 ? { cpu } : {}),
  };
}

function shared({
  sandbox,
  processes,
  hostIPC,
}: Extract<ContainerConfig['namespaces'], { sandbox: string }>) {
  const place = { nsmode: 'container', value: sandbox };
  return {
    netns: place,
    ipcns: hostIPC ? { nsmode: 'host' } : place,
    utsns: place,
    ...(processes === 'own' ? {} : { pidns: pidNamespace(processes) }),
  };
}

function pidNamespace(processes: 'host' | { readonly container: string }) {
  return processes === 'host'
    ? { nsmode: 'host' }
    : { nsmode: 'container', value: processes.container };
}

type Own = Extract<ContainerConfig['namespaces'], { hostname: string }>;

function own({ hostname, sysctls, ports, dns, hostNetwork, hostIPC }: Own) {
  return {
    hostname,
    // An ordinary user's default is a network of one container, without an address for other Pods.
    netns: { nsmode: hostNetwork ? 'host' : 'bridge' },
    ipcns: { nsmode: hostIPC ? 'host' : 'shareable' },
    sysctl: sysctls,
    portmappings: ports.map(({ containerPort, hostPort, hostIP, protocol }) => ({
      container_port: containerPort,
      host_port: hostPort,
      host_ip: hostIP,
      protocol,
    })),
    ...(dns.servers.length > 0 ? { dns_server: dns.servers } : {}),
    ...(dns.searches.length > 0 ? { dns_search: dns.searches } : {}),
    ...(dns.options.length > 0 ? { dns_option: dns.options } : {}),
  };
}
