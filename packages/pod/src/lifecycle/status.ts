import { parseQuantity } from '../manifest/schema/quantity.ts';
import type { ContainerSpec, PodObject } from '../manifest/types.ts';
import type { PodMachine } from './machine.ts';
import type { ContainerState, Instant, Termination } from './types.ts';

/** A Pod with its status in the form of `kubectl get pod -o json`. */
export interface PodStatusObject {
  readonly apiVersion: 'v1';
  readonly kind: 'Pod';
  readonly metadata: PodObject['metadata'] & {
    readonly uid: string;
    readonly creationTimestamp: string;
    readonly deletionTimestamp?: string;
    readonly ownerReferences?: readonly object[];
  };
  readonly spec: PodObject['spec'];
  readonly status: {
    readonly phase: string;
    readonly reason?: string;
    readonly message?: string;
    readonly hostIP: string;
    readonly podIP?: string;
    readonly podIPs?: readonly { readonly ip: string }[];
    readonly startTime?: string;
    readonly qosClass: string;
    readonly conditions: readonly Condition[];
    readonly initContainerStatuses: readonly ContainerStatus[];
    readonly containerStatuses: readonly ContainerStatus[];
  };
}

export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False';
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime: string;
}

export interface ContainerStatus {
  readonly name: string;
  readonly image: string;
  readonly imageID: string;
  readonly containerID: string;
  readonly ready: boolean;
  readonly started: boolean;
  readonly restartCount: number;
  readonly state: ContainerStateObject;
  readonly lastState: ContainerStateObject;
}

export interface ContainerStateObject {
  readonly waiting?: { readonly reason: string; readonly message?: string };
  readonly running?: { readonly startedAt: string };
  readonly terminated?: {
    readonly exitCode: number;
    readonly reason: string;
    readonly message?: string;
    readonly startedAt: string;
    readonly finishedAt: string;
    readonly containerID: string;
  };
}

/** Facts of the status other than the machine's state. */
export interface StatusFacts {
  readonly uid: string;
  readonly createdAt: Instant;
  readonly engine: string;
  readonly podIP?: string | undefined;
  /** Ids of the images by reference. */
  readonly images?: ReadonlyMap<string, string>;
  /** The status before, for the times of its conditions. */
  readonly before?: PodStatusObject | undefined;
  readonly now: Instant;
}

export function statusOf(pod: PodObject, machine: PodMachine, facts: StatusFacts): PodStatusObject {
  const { podIP, uid } = facts;
  const of = (main: boolean) =>
    machine.containers
      .filter(({ role }) => (role === 'main') === main)
      .map((container) => containerStatus(container, facts));
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...pod.metadata,
      uid,
      creationTimestamp: time(facts.createdAt),
      ...(machine.ending?.requested ? { deletionTimestamp: time(machine.ending.deadline) } : {}),
      ...(pod.owner ? { ownerReferences: [{ ...pod.owner, controller: true }] } : {}),
    },
    spec: pod.spec,
    status: {
      phase: machine.phase,
      ...(machine.ended ? machine.failure : {}),
      hostIP: '127.0.0.1',
      ...(podIP ? { podIP, podIPs: [{ ip: podIP }] } : {}),
      ...(machine.begunAt === undefined ? {} : { startTime: time(machine.begunAt) }),
      qosClass: qosClass(pod),
      conditions: conditions(machine, facts),
      initContainerStatuses: of(false),
      containerStatuses: of(true),
    },
  };
}

/** Returns the conditions in the kubelet's words (pkg/kubelet/status/generate.go). */
function conditions(machine: PodMachine, { before, now }: StatusFacts): Condition[] {
  const { phase, containers } = machine;
  const began = containers.some(({ role, runs }) => role === 'main' && runs > 0);
  const completed = { reason: 'PodCompleted' };
  const unready = containers.filter(({ role, ready }) => role !== 'init' && !ready);
  const uninitialized = containers.filter(({ role, passed }) => role !== 'main' && !passed);
  const notReady =
    phase === 'Succeeded'
      ? completed
      : phase === 'Failed'
        ? { reason: 'PodFailed' }
        : {
            reason: 'ContainersNotReady',
            message: `containers with unready status: [${names(unready)}]`,
          };
  const notInitialized = {
    reason: 'ContainersNotInitialized',
    message: `containers with incomplete status: [${names(uninitialized)}]`,
  };
  const initialized = began || uninitialized.length === 0;
  const condition = (
    type: string,
    good: boolean,
    why: { reason: string; message?: string } | undefined,
  ): Condition => {
    const status = good ? 'True' : 'False';
    const old = before?.status.conditions.find((one) => one.type === type);
    const lastTransitionTime = old?.status === status ? old.lastTransitionTime : time(now);
    return { type, status, lastTransitionTime, ...why };
  };
  return [
    condition('PodScheduled', true, undefined),
    condition(
      'Initialized',
      initialized || phase === 'Succeeded',
      phase === 'Succeeded' ? completed : initialized ? undefined : notInitialized,
    ),
    condition('ContainersReady', machine.ready, machine.ready ? undefined : notReady),
    condition('Ready', machine.ready, machine.ready ? undefined : notReady),
  ];
}

function names(containers: readonly ContainerState[]): string {
  return containers.map(({ spec }) => spec.name).join(' ');
}

function containerStatus(
  container: ContainerState,
  { images, engine }: StatusFacts,
): ContainerStatus {
  const { spec, id, ready, started, runs } = container;
  return {
    name: spec.name,
    image: spec.image,
    imageID: images?.get(spec.image) ?? '',
    containerID: id && `${engine}://${id}`,
    ready,
    started,
    restartCount: Math.max(0, runs - 1),
    state: state(container, engine),
    lastState: container.last ? { terminated: terminated(container.last, engine) } : {},
  };
}

function state(container: ContainerState, engine: string): ContainerStateObject {
  const { phase, reason, message, startedAt, current, postStartDone } = container;
  if (phase === 'running' && postStartDone) return { running: { startedAt: time(startedAt) } };
  if (phase === 'terminated' && current) return { terminated: terminated(current, engine) };
  // The kubelet writes no status while a postStart hook runs.
  return { waiting: { reason: reason || 'ContainerCreating', ...(message ? { message } : {}) } };
}

function terminated(end: Termination, engine: string) {
  return {
    exitCode: end.exitCode,
    reason: end.reason,
    ...(end.message ? { message: end.message } : {}),
    startedAt: time(end.startedAt),
    finishedAt: time(end.finishedAt),
    containerID: end.id && `${engine}://${end.id}`,
  };
}

/** Guaranteed, Burstable or BestEffort, by the requests and limits of all containers. */
function qosClass({ spec }: PodObject): string {
  const all = [...spec.initContainers, ...spec.containers];
  const amounts = ({ resources }: ContainerSpec) =>
    (['cpu', 'memory'] as const).map((name) => {
      const limit = resources.limits[name];
      return { limit, request: resources.requests[name] ?? limit };
    });
  const wanted = all.flatMap(amounts);
  if (wanted.every(({ limit, request }) => !limit && !request)) return 'BestEffort';
  const exact = wanted.every(
    ({ limit, request }) =>
      limit !== undefined &&
      request !== undefined &&
      parseQuantity(limit) === parseQuantity(request),
  );
  return exact ? 'Guaranteed' : 'Burstable';
}

function time(instant: Instant): string {
  return new Date(instant).toISOString();
}
