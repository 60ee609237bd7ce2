/** A container as either engine can create it; `docker-body.ts` and `podman-body.ts` translate. */
export interface ContainerConfig {
  readonly name: string;
  readonly image: string;
  /** Replaces the image's entry point; undefined keeps it. */
  readonly entrypoint?: readonly string[] | undefined;
  /** Replaces the image's arguments; undefined keeps them. */
  readonly args?: readonly string[] | undefined;
  readonly environment: ReadonlyMap<string, string>;
  readonly labels: Readonly<Record<string, string>>;
  /** `uid[:gid]` or a name; undefined keeps the image's. */
  readonly user?: string | undefined;
  readonly groups: readonly number[];
  readonly workingDir?: string | undefined;
  readonly mounts: readonly Mount[];
  readonly capabilities: { readonly add: readonly string[]; readonly drop: readonly string[] };
  readonly privileged: boolean;
  readonly noNewPrivileges: boolean;
  readonly readOnlyRoot: boolean;
  readonly unconfined: { readonly seccomp: boolean; readonly appArmor: boolean };
  readonly limits: ResourceLimits;
  readonly tty: boolean;
  readonly stdin: boolean;
  /** Shares the namespaces of the sandbox; a sandbox has its own. */
  readonly namespaces: SharedNamespaces | OwnNamespaces;
}

/** A file or folder of the host, or a volume of the engine, in a container. */
export interface Mount {
  /** A path of the host, or the name of a volume of the engine. */
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
  /** Set for a volume of the engine: the path inside it, which may be empty. */
  readonly volumePath?: string;
}

/** Limits of a container; 0 is none. */
export interface ResourceLimits {
  /** Bytes; memory and swap together. */
  readonly memory: number;
  /** Cores. */
  readonly cpus: number;
  /** cgroup v1 shares. */
  readonly cpuShares: number;
}

export interface SharedNamespaces {
  /** The id or name of the sandbox. */
  readonly sandbox: string;
  /** The process namespace: its own, another container's, or the host's. */
  readonly processes: 'own' | 'host' | { readonly container: string };
  readonly hostIPC: boolean;
}

export interface OwnNamespaces {
  readonly hostNetwork: boolean;
  readonly hostIPC: boolean;
  readonly hostname: string;
  readonly sysctls: Readonly<Record<string, string>>;
  readonly ports: readonly PublishedPort[];
  readonly dns: {
    readonly servers: readonly string[];
    readonly searches: readonly string[];
    readonly options: readonly string[];
  };
}

export interface PublishedPort {
  readonly containerPort: number;
  /** 0 is a free one. */
  readonly hostPort: number;
  readonly hostIP: string;
  /** In lower case. */
  readonly protocol: string;
}

/** Container logs are rotated at this size, as by the kubelet (containerLogMaxSize), in bytes. */
export const LOG_SIZE = 10 * 1024 * 1024;
/** So many files of a log are kept, with Docker (kubelet: containerLogMaxFiles). */
export const LOG_FILES = 5;
