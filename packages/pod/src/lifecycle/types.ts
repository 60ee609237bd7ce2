import type { ContainerSpec, Handler, PodSpec } from '../manifest/types.ts';

/** Milliseconds since 1970, from whatever clock drives the machine. */
export type Instant = number;

export type ProbeKind = 'startup' | 'readiness' | 'liveness';
export type HookKind = 'postStart' | 'preStop';

/** What happened, told to the machine. `attempt` is that of the action it answers. */
export type PodEvent =
  | { readonly type: 'begin' }
  | {
      readonly type: 'started';
      readonly container: string;
      readonly attempt: number;
      readonly id: string;
    }
  | {
      readonly type: 'startFailed';
      readonly container: string;
      readonly attempt: number;
      readonly reason: string;
      readonly message: string;
    }
  | {
      readonly type: 'exited';
      readonly container: string;
      readonly attempt: number;
      readonly exitCode: number;
      readonly oomKilled?: boolean;
    }
  | {
      readonly type: 'hookDone';
      readonly container: string;
      readonly attempt: number;
      readonly hook: HookKind;
      readonly ok: boolean;
      readonly message?: string;
    }
  | {
      readonly type: 'probed';
      readonly container: string;
      readonly attempt: number;
      readonly probe: ProbeKind;
      readonly ok: boolean;
      readonly message?: string;
    }
  /** Someone asks for the Pod's end. */
  | { readonly type: 'terminate'; readonly gracePeriodSeconds?: number }
  /** Time has passed: the instant of `deadline` has come. */
  | { readonly type: 'tick' };

/** What is to be done; its outcome comes back as an event. */
export type PodAction =
  | { readonly type: 'start'; readonly container: string; readonly attempt: number }
  | {
      readonly type: 'hook';
      readonly container: string;
      readonly attempt: number;
      readonly hook: HookKind;
      readonly handler: Handler;
      readonly timeout: number;
    }
  | {
      readonly type: 'probe';
      readonly container: string;
      readonly attempt: number;
      readonly probe: ProbeKind;
      readonly handler: Handler;
      readonly timeout: number;
    }
  | {
      readonly type: 'signal';
      readonly container: string;
      readonly attempt: number;
      readonly signal: 'SIGTERM' | 'SIGKILL';
    }
  /** For the timeline; the names are the reasons of Kubernetes' events. */
  | {
      readonly type: 'note';
      readonly reason: string;
      readonly container?: string;
      readonly message: string;
    }
  /** The Pod has ended: nothing runs and nothing will. */
  | { readonly type: 'ended' };

export type Role = 'init' | 'sidecar' | 'main';

/** The last run of a container that has ended. */
export interface Termination {
  readonly exitCode: number;
  readonly reason: string;
  readonly startedAt: Instant;
  readonly finishedAt: Instant;
  readonly id: string;
}

export interface ProbeState {
  readonly kind: ProbeKind;
  /** When the next try is due; undefined while one is under way or none is wanted. */
  due: Instant | undefined;
  successes: number;
  failures: number;
}

/** What the machine knows of one container. */
export interface ContainerState {
  readonly spec: ContainerSpec;
  readonly role: Role;
  phase: 'waiting' | 'starting' | 'running' | 'terminated';
  /** Why it waits: PodInitializing, ContainerCreating, CrashLoopBackOff, ErrImagePull … */
  reason: string;
  message: string;
  id: string;
  /** Number of the run, from 0; restarts are counted by Kubernetes in the same way. */
  attempt: number;
  startedAt: Instant;
  /** postStart has been done and startupProbe has passed. */
  started: boolean;
  postStartDone: boolean;
  ready: boolean;
  last: Termination | undefined;
  current: Termination | undefined;
  backoff: number;
  /** When it may start again after a crash. */
  restartAt: Instant | undefined;
  stop: StopState | undefined;
  probes: ProbeState[];
}

/** A container on its way to its end. */
export interface StopState {
  /** preStop runs → waits for its turn → SIGTERM was sent → SIGKILL was sent. */
  step: 'preStop' | 'turn' | 'term' | 'kill';
  /** The end of the grace period, when SIGKILL is due. */
  deadline: Instant;
  readonly why: string;
  /** Stopped for good, with its Pod; otherwise its restart policy decides. */
  final: boolean;
}

export interface MachineOptions {
  readonly spec: PodSpec;
  /** The first back-off, in milliseconds: 10 s in the kubelet. */
  readonly backoffBase?: number;
}
