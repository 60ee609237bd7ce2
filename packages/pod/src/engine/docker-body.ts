import { type ContainerConfig, LOG_FILES, LOG_SIZE, type Mount } from './container-config.ts';

/** Translates a container for `POST /containers/create` of Docker's Engine API (1.41 and later). */
export function dockerBody(config: ContainerConfig): object {
  const { capabilities, limits, namespaces, unconfined } = config;
  return {
    Image: config.image,
    ...(config.entrypoint ? { Entrypoint: config.entrypoint } : {}),
    ...(config.args ? { Cmd: config.args } : {}),
    Env: [...config.environment].map(([name, value]) => `${name}=${value}`),
    Labels: config.labels,
    ...(config.user === undefined ? {} : { User: config.user }),
    ...(config.workingDir === undefined ? {} : { WorkingDir: config.workingDir }),
    Tty: config.tty,
    OpenStdin: config.stdin,
    // A health check of the image is Docker's: Kubernetes has probes instead.
    Healthcheck: { Test: ['NONE'] },
    ...('hostname' in namespaces ? ownNames(namespaces) : {}),
    HostConfig: {
      RestartPolicy: { Name: 'no' },
      LogConfig: {
        Type: 'json-file',
        Config: { 'max-size': String(LOG_SIZE), 'max-file': String(LOG_FILES) },
      },
      Mounts: config.mounts.map(mount),
      GroupAdd: config.groups.map(String),
      CapAdd: capabilities.add,
      CapDrop: capabilities.drop,
      Privileged: config.privileged,
      ReadonlyRootfs: config.readOnlyRoot,
      SecurityOpt: [
        ...(config.noNewPrivileges ? ['no-new-privileges'] : []),
        ...(unconfined.seccomp ? ['seccomp=unconfined'] : []),
        ...(unconfined.appArmor ? ['apparmor=unconfined'] : []),
      ],
      Memory: limits.memory,
      MemorySwap: limits.memory,
      NanoCpus: Math.round(limits.cpus * 1e9),
      CpuShares: limits.cpuShares,
      ...('sandbox' in namespaces ? shared(namespaces) : own(namespaces)),
    },
  };
}

/** Docker takes the host name of the container whose network is shared. */
function shared({
  sandbox,
  processes,
  hostIPC,
}: Extract<ContainerConfig['namespaces'], { sandbox: string }>) {
  const place = `container:${sandbox}`;
  return {
    NetworkMode: place,
    IpcMode: hostIPC ? 'host' : place,
    ...(processes === 'own' ? {} : { PidMode: pidMode(processes) }),
  };
}

function pidMode(processes: 'host' | { readonly container: string }): string {
  return processes === 'host' ? 'host' : `container:${processes.container}`;
}

type Own = Extract<ContainerConfig['namespaces'], { hostname: string }>;

function ownNames({ hostname, ports }: Own) {
  const exposed = ports.map(({ containerPort, protocol }) => [`${containerPort}/${protocol}`, {}]);
  return { Hostname: hostname, ExposedPorts: Object.fromEntries(exposed) };
}

function own({ sysctls, ports, dns, hostNetwork, hostIPC }: Own) {
  const bindings: Record<string, { HostIp: string; HostPort: string }[]> = {};
  for (const { containerPort, protocol, hostIP, hostPort } of ports) {
    const key = `${containerPort}/${protocol}`;
    bindings[key] ??= [];
    bindings[key].push({ HostIp: hostIP, HostPort: hostPort === 0 ? '' : String(hostPort) });
  }
  return {
    ...(hostNetwork ? { NetworkMode: 'host' } : {}),
    IpcMode: hostIPC ? 'host' : 'shareable',
    Sysctls: sysctls,
    PortBindings: bindings,
    Dns: dns.servers,
    DnsSearch: dns.searches,
    DnsOptions: dns.options,
  };
}

function mount({ source, target, readOnly, volumePath }: Mount) {
  return {
    Source: source,
    Target: target,
    ReadOnly: readOnly,
    ...(volumePath === undefined
      ? { Type: 'bind' }
      : {
          Type: 'volume',
          VolumeOptions: { NoCopy: true, ...(volumePath ? { Subpath: volumePath } : {}) },
        }),
  };
}
