/** Runs Pods for the tests: by `pod`, kubectl or compose. */
export interface TestEngine {
  readonly name: string;
  /** Applies a manifest, by the path of its file, and returns the session of its Pods. */
  apply(path: string, options?: ApplyOptions): Promise<Session>;
  /** Whether the sizeLimit of emptyDirs is enforced: a kubelet can be configured not to. */
  isolatesStorage(): Promise<boolean>;
}

export interface ApplyOptions {
  /** The Pod Security level that a cluster enforces: restricted, unless a manifest asks for more. */
  readonly security?: 'restricted' | 'privileged';
  /** Labels of the namespace on a cluster. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Whether logs and events are kept in dist/evidence: true unless said otherwise. */
  readonly keepEvidence?: boolean;
}

/** The Pods of one applied manifest; disposing it deletes them. */
export interface Session extends AsyncDisposable {
  /** The Pods with their status, as `kubectl get pods -o json` has them. */
  pods(): Promise<PodStatus[]>;
  /** The status of the Pod of that name, or of the one Pod whose name starts with `name-`. */
  status(name: string): Promise<PodStatus>;
  /** Waits until the Pod is Ready. */
  ready(name: string, timeout?: number): Promise<PodStatus>;
  /** Waits until the Pod has ended, and returns how. */
  completed(name: string, timeout?: number): Promise<PodStatus>;
  /** Waits until a condition of the Pod holds; `what` names it, as in `is Ready`. */
  when(
    name: string,
    what: string,
    holds: (pod: PodStatus) => boolean,
    timeout?: number,
  ): Promise<PodStatus>;
  /** Waits until the log of a container has a match of `found`, and returns that log. */
  logged(name: string, container: string, found: RegExp, timeout?: number): Promise<string>;
  /** Returns the complete log of a container that has ended. @throws Error if it still runs. */
  finalLog(name: string, container: string): Promise<string>;
  /** Returns the logs of all containers together, each line as it is or with a prefix. */
  allLogs(name: string): Promise<string>;
  /** An HTTP exchange with a port of the Pod, as from another Pod. */
  http(name: string, port: number, path: string, init?: HttpInit): Promise<HttpResult>;
  exec(name: string, container: string, argv: readonly string[]): Promise<ExecResult>;
  /** Applies a changed manifest. */
  reapply(text: string): Promise<void>;
  /** Deletes one Pod, gracefully, and waits until it has gone. */
  remove(name: string): Promise<void>;
}

export interface HttpInit {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface HttpResult {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

export interface ExecResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ContainerState {
  readonly waiting?: { readonly reason: string };
  readonly running?: object;
  readonly terminated?: {
    readonly exitCode: number;
    readonly reason: string;
    /** The time in RFC 3339; a kubelet tells whole seconds, Compose nothing. */
    readonly finishedAt?: string;
  };
}

export interface ContainerStatus {
  readonly name: string;
  readonly ready: boolean;
  readonly started?: boolean;
  readonly restartCount: number;
  readonly state: ContainerState;
  readonly lastState: ContainerState;
}

export interface PodStatus {
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly status: {
    readonly phase: string;
    readonly podIP?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    readonly containerStatuses?: readonly ContainerStatus[];
    readonly initContainerStatuses?: readonly ContainerStatus[];
  };
}

export function isReady({ status }: PodStatus): boolean {
  return (
    status.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') ??
    false
  );
}

export function hasEnded({ status }: PodStatus): boolean {
  return status.phase === 'Succeeded' || status.phase === 'Failed';
}

/** The one Pod that `name` means: of that name, or made by a controller of that name. */
export function findPod(pods: readonly PodStatus[], name: string): PodStatus | undefined {
  return (
    pods.find(({ metadata }) => metadata.name === name) ??
    pods.find(({ metadata }) => metadata.name.startsWith(`${name}-`))
  );
}
