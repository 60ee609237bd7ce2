import type { PodObject } from '../manifest/types.ts';
import type { PodMachine } from './machine.ts';
import type { ContainerState, Instant, Termination } from './types.ts';

/** A Pod with its status in the form of `kubectl get pod -o json`. */
export interface PodStatusObject {
  readonly apiVersion: 'v1';
  readonly kind: 'Pod';
  readonly metadata: PodObject['metadata'] & { readonly deletionTimestamp?: string };
  readonly spec: PodObject['spec'];
  readonly status: {
    readonly phase: string;
    readonly reason?: string;
    readonly podIP?: string;
    readonly startTime?: string;
    readonly conditions: readonly {
      readonly type: string;
      readonly status: 'True' | 'False';
      readonly reason?: string;
    }[];
    readonly initContainerStatuses: readonly ContainerStatus[];
    readonly containerStatuses: readonly ContainerStatus[];
  };
}

export interface ContainerStatus {
  readonly name: string;
  readonly image: string;
  readonly containerID: string;
  readonly ready: boolean;
  readonly started: boolean;
  readonly restartCount: number;
  readonly state: object;
  readonly lastState: object;
}

export function statusOf(pod: PodObject, machine: PodMachine, podIP?: string): PodStatusObject {
  const condition = (type: string, good: boolean, reason?: string) => ({
    type,
    status: good ? ('True' as const) : ('False' as const),
    ...(reason && !good ? { reason } : {}),
  });
  const finished = machine.phase === 'Succeeded' ? 'PodCompleted' : 'ContainersNotReady';
  const of = (main: boolean) =>
    machine.containers.filter(({ role }) => (role === 'main') === main).map(containerStatus);
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...pod.metadata,
      ...(machine.ending?.requested ? { deletionTimestamp: time(machine.ending.deadline) } : {}),
    },
    spec: pod.spec,
    status: {
      phase: machine.phase,
      ...(podIP ? { podIP } : {}),
      ...(machine.begunAt === undefined ? {} : { startTime: time(machine.begunAt) }),
      conditions: [
        condition('PodScheduled', true),
        condition(
          'Initialized',
          machine.initialized || machine.phase === 'Succeeded',
          'ContainersNotInitialized',
        ),
        condition('ContainersReady', machine.ready, finished),
        condition('Ready', machine.ready && !machine.ended, finished),
      ],
      initContainerStatuses: of(false),
      containerStatuses: of(true),
    },
  };
}

function containerStatus(container: ContainerState): ContainerStatus {
  const { spec, id, ready, started, attempt } = container;
  return {
    name: spec.name,
    image: spec.image,
    containerID: id,
    ready,
    started,
    restartCount: Math.max(0, attempt),
    state: state(container),
    lastState: container.last ? { terminated: terminated(container.last) } : {},
  };
}

function state({ phase, reason, message, startedAt, current }: ContainerState): object {
  if (phase === 'running') return { running: { startedAt: time(startedAt) } };
  if (phase === 'terminated' && current) return { terminated: terminated(current) };
  return { waiting: { reason, ...(message ? { message } : {}) } };
}

function terminated({ exitCode, reason, startedAt, finishedAt, id }: Termination): object {
  return {
    exitCode,
    reason,
    startedAt: time(startedAt),
    finishedAt: time(finishedAt),
    containerID: id,
  };
}

function time(instant: Instant): string {
  return new Date(instant).toISOString();
}
