import type { ContainerSpec, Hook, PodSpec, Probe } from '../manifest/types.ts';

/** Milliseconds since 1970, from whatever clock drives the machine. */
export type Instant = number;

export type ProbeKind = 'startup' | 'readiness' | 'liveness';
export type HookKind = 'postStart' | 'preStop';

/** One run of one container; every action names it, and so does every outcome. */
export interface Run {
  readonly container: string;
  /** Number of the start, from 0. */
  readonly attempt: number;
}

/** An event for the machine. */
export type PodEvent =
  /** The sandbox is there: containers can be started. After `sandboxLost` it is a new one. */
  | { readonly type: 'begin' }
  /** The sandbox has ended by itself. */
  | { readonly type: 'sandboxLost' }
  /** A volume holds more than its limit: the node evicts the Pod. */
  | { readonly type: 'evict'; readonly message: string }
  | (Run & { readonly type: 'started'; readonly id: string })
  /** It was never created (image, configuration): Kubernetes retries and counts no restart. */
  | (Run & { readonly type: 'startFailed'; readonly reason: string; readonly message: string })
  | (Run & {
      readonly type: 'exited';
      readonly exitCode: number;
      readonly reason?: string | undefined;
      /** Its termination message. */
      readonly message?: string | undefined;
    })
  | (Run & {
      readonly type: 'hookDone';
      readonly hook: HookKind;
      readonly ok: boolean;
      readonly message?: string | undefined;
    })
  | (Run & {
      readonly type: 'probed';
      readonly probe: ProbeKind;
      /** An error is the prober's: it gives no verdict. */
      readonly result: 'success' | 'failure' | 'error';
      readonly message?: string | undefined;
    })
  /** The Pod's deletion was requested. */
  | { readonly type: 'terminate'; readonly gracePeriodSeconds?: number | undefined }
  /** activeDeadlineSeconds was set or lowered, which the API allows while the Pod runs. */
  | { readonly type: 'deadline'; readonly activeDeadlineSeconds: number }
  /** The Pod must end as failed, for a cause outside its containers. */
  | { readonly type: 'fail'; readonly reason: string; readonly message: string }
  /** Time has passed: the instant of `deadline` has come. */
  | { readonly type: 'tick' };

/** An action for the supervisor; its outcome returns as an event. */
export type PodAction =
  | (Run & { readonly type: 'start' })
  | (Run & {
      readonly type: 'hook';
      readonly hook: HookKind;
      readonly handler: Hook;
      /** In milliseconds; infinite for postStart. */
      readonly timeout: number;
    })
  | (Run & {
      readonly type: 'probe';
      readonly probe: ProbeKind;
      readonly handler: Probe;
      readonly timeout: number;
    })
  | (Run & { readonly type: 'signal'; readonly signal: 'SIGTERM' | 'SIGKILL' })
  /** A new sandbox is needed; `begin` reports it. */
  | { readonly type: 'sandbox' }
  | Note
  /** The Pod has ended: nothing runs and nothing will. */
  | { readonly type: 'ended' };

/** For the timeline; the names are the reasons of Kubernetes' events if it has one. */
export interface Note {
  readonly type: 'note';
  readonly reason: string;
  readonly container?: string;
  readonly message: string;
}

export type Role = 'init' | 'sidecar' | 'main';

/** The end of one run of a container. */
export interface Termination {
  readonly exitCode: number;
  readonly reason: string;
  readonly message: string | undefined;
  readonly startedAt: Instant;
  readonly finishedAt: Instant;
  readonly id: string;
}

export interface ProbeState {
  readonly kind: ProbeKind;
  /** When the next try is due; undefined while one is under way or none is wanted. */
  due: Instant | undefined;
  /** From here on a failure counts, and the next such instant is a period later. */
  counted: Instant;
  /** The try under way is one of the counted ones. */
  counting: boolean;
  /** Probes before the first counted one, which only detect an early success. */
  early: number;
  successes: number;
  failures: number;
}

/** The state of one container. */
export interface ContainerState {
  readonly spec: ContainerSpec;
  readonly role: Role;
  phase: 'waiting' | 'starting' | 'running' | 'terminated';
  /** Why it waits: PodInitializing, ContainerCreating, CrashLoopBackOff, ErrImagePull … */
  reason: string;
  message: string;
  id: string;
  /** Number of the latest start, from 0; -1 before the first. */
  attempt: number;
  /** How often it has really run; one less is Kubernetes' restart count. */
  runs: number;
  startedAt: Instant;
  postStartDone: boolean;
  /** postStart has been done and startupProbe has passed. */
  started: boolean;
  ready: boolean;
  /** Whether what comes after this init container or sidecar may start, once and for all. */
  passed: boolean;
  last: Termination | undefined;
  current: Termination | undefined;
  backoff: number;
  /** When it may start again. */
  restartAt: Instant | undefined;
  stop: StopState | undefined;
  probes: ProbeState[];
}

/** The state of a container that is stopping. */
export interface StopState {
  /** preStop runs → waits for its turn → SIGTERM was sent → SIGKILL was sent. */
  step: 'preStop' | 'turn' | 'term' | 'kill';
  /** The end of the grace period, when SIGKILL is due. */
  deadline: Instant;
  /** Before this instant the deadline cannot be moved. */
  least: Instant;
  /** Stopped for good, with its Pod; otherwise its restart policy decides. */
  final: boolean;
  /** A failed probe: restarted whatever its exit code, unless the policy is Never. */
  readonly unhealthy: boolean;
}

export interface MachineOptions {
  readonly spec: PodSpec;
  /** The first back-off, in milliseconds: 10 s in the kubelet. */
  readonly backoffBase?: number | undefined;
  /** A Job's: with restartPolicy OnFailure, so many restarts fail the Pod. */
  readonly backoffLimit?: number | undefined;
}
