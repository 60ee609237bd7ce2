import type { RecordedEvent } from '../timeline.ts';
import type { Listed } from './list-watch.ts';

/** An Event of the core API (`v1`), which the kubelet writes about a Pod. */
export interface EventObject extends Listed {
  readonly involvedObject: {
    readonly kind?: string;
    readonly uid?: string;
    /** `spec.containers{NAME}` */
    readonly fieldPath?: string;
  };
  readonly reason?: string;
  readonly message?: string;
  readonly count?: number;
  readonly firstTimestamp?: string | null;
  readonly lastTimestamp?: string | null;
  readonly eventTime?: string | null;
}

/** Reasons of events that a Pod's status does not show; it has all others with exact times. */
const ONLY_REPORTED =
  /^(Unhealthy|ProbeWarning|Killing|Failed(PostStartHook|PreStopHook|Mount|Scheduling|AttachVolume|CreatePodSandBox)|Evicted|Preempted|SandboxChanged)$/;

/**
 * Turns an Event into what the runner records. The API server counts repetitions in one Event: each of
 * its changes is an event of its own, and of one seen for the first time both ends are known.
 */
export function reportedEvents(event: EventObject, seen: boolean): RecordedEvent[] {
  const { reason = '', message = '', count = 1 } = event;
  if (!ONLY_REPORTED.test(reason)) return [];
  const container = /^spec\.\w+\{(.+)\}$/.exec(event.involvedObject.fieldPath ?? '')?.[1];
  const last = event.lastTimestamp ?? event.eventTime;
  const times = seen || count === 1 ? [last] : [event.firstTimestamp, last];
  return times.flatMap((time) =>
    time && !Number.isNaN(Date.parse(time))
      ? { time, reason, ...(container === undefined ? {} : { container }), message }
      : [],
  );
}
