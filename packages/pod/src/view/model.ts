import type { Role, Timeline } from './timeline.ts';

/** A Pod as the page shows it. */
export interface PodView {
  readonly name: string;
  readonly namespace: string;
  /** The STATUS column of `kubectl get pods`. */
  readonly summary: string;
  readonly message?: string | undefined;
  readonly ended: boolean;
  readonly ip?: string | undefined;
  readonly containers: readonly ContainerView[];
  readonly volumes: readonly VolumeView[];
  readonly services: readonly ServiceView[];
  /** Names of message queues and rings that containers are given as `--queue`. */
  readonly queues: readonly string[];
  readonly timeline: Timeline;
  readonly manifest: ManifestView;
}

export type ContainerPhase = 'waiting' | 'starting' | 'ready' | 'failing' | 'completed';

export interface ContainerView {
  readonly name: string;
  readonly role: Role;
  readonly image: string;
  readonly phase: ContainerPhase;
  /** The kubelet's word for its state, such as CrashLoopBackOff. */
  readonly reason: string;
  readonly message?: string | undefined;
  readonly restarts: number;
  readonly ports: readonly { readonly name: string; readonly port: number }[];
  readonly mounts: readonly {
    readonly volume: string;
    readonly path: string;
    readonly readOnly: boolean;
  }[];
  readonly queues: readonly string[];
  readonly requests: Readonly<Record<string, string>>;
  readonly limits: Readonly<Record<string, string>>;
}

export interface VolumeView {
  readonly name: string;
  /** `emptyDir`, `configMap site`, `secret tls` … */
  readonly kind: string;
}

export interface ServiceView {
  readonly name: string;
  readonly ports: readonly {
    readonly port: number;
    readonly target: number;
    /** The port of 127.0.0.1 that leads to it, if there is one. */
    readonly host?: number | undefined;
  }[];
}

export interface ManifestView {
  readonly text: string;
  /** First and last line of each container's part, from 0. */
  readonly lines: Readonly<Record<string, readonly [number, number]>>;
}

export interface LogLine {
  readonly container: string;
  /** RFC 3339, as the engine recorded it. */
  readonly time: string;
  readonly text: string;
}

/** Log lines that are sent together. */
export interface LogBatch {
  readonly lines: readonly LogLine[];
  /** Lines that came faster than they can be shown. */
  readonly skipped: number;
}

/** The state of a Pod's sidecars and containers at one instant. */
export interface Sample {
  readonly container: string;
  /** Values by a short name; counters are totals since the start. */
  readonly values: Readonly<Record<string, number>>;
}

/** One message of the stream of Pods. */
export interface PodsMessage {
  readonly changed: readonly PodView[];
  readonly removed: readonly string[];
  /** Why nothing new arrives for now. */
  readonly problem?: string | undefined;
}
