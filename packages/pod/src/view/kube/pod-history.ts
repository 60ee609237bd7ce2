import type { ContainerStatus, PodStatusObject } from '../../lifecycle/status.ts';
import type { RecordedEvent } from '../timeline.ts';
import { type EventObject, reportedEvents } from './reported-events.ts';

/** The most events that are kept of one Pod. */
const MAX_EVENTS = 2000;

/**
 * A Pod's events as the runner would have recorded them, from the changes of its status and from what the
 * kubelet reports: a cluster keeps its own events for an hour only, and not all that happens.
 */
export class PodHistory {
  readonly uid: string;
  /** In the order of time, as far as times of whole seconds tell it. */
  readonly recorded: RecordedEvent[] = [];
  readonly #before = new Map<string, ContainerStatus>();
  /** Events that were seen, with their counts. */
  readonly #reported = new Map<string, number>();
  #terminating = false;

  constructor(uid: string) {
    this.uid = uid;
  }

  /** Compares a status with the one before, both as the API server sent them. */
  observe({ metadata, status }: PodStatusObject, now: Date): void {
    const since = (type: string) => {
      const found = status.conditions.find((one) => one.type === type && one.status === 'True');
      return found ? new Date(found.lastTransitionTime) : undefined;
    };
    // Of a Pod that is seen for the first time only its conditions know when.
    const initialized = since('Initialized');
    const ready = since('ContainersReady');
    for (const one of status.initContainerStatuses) {
      this.#compare(one, now, this.#before.has(one.name) ? now : (initialized ?? now));
    }
    for (const one of status.containerStatuses) {
      this.#compare(one, now, this.#before.has(one.name) ? now : (ready ?? now));
    }
    if (metadata.deletionTimestamp && !this.#terminating) {
      this.#terminating = true;
      this.note(now, 'Killing', undefined, 'the Pod is terminating');
    }
  }

  /** Takes in an event that the kubelet wrote. @returns whether it adds anything. */
  report(event: EventObject): boolean {
    const { name } = event.metadata;
    const { count = 1 } = event;
    const seen = this.#reported.get(name);
    if (seen === count || this.#reported.size > MAX_EVENTS) return false;
    this.#reported.set(name, count);
    const events = reportedEvents(event, seen !== undefined);
    for (const one of events) {
      const at = Date.parse(one.time);
      this.#add(one, this.recorded.findLastIndex(({ time }) => Date.parse(time) <= at) + 1);
    }
    return events.length > 0;
  }

  note(time: Date, reason: string, container: string | undefined, message: string): void {
    const subject = container === undefined ? {} : { container };
    this.#add({ time: time.toISOString(), reason, ...subject, message });
  }

  #add(event: RecordedEvent, index = this.recorded.length) {
    this.recorded.splice(index, 0, event);
    this.recorded.splice(0, this.recorded.length - MAX_EVENTS);
  }

  /** @param then when it has become what it is, at the latest. */
  #compare(after: ContainerStatus, now: Date, then: Date) {
    const { name } = after;
    const before = this.#before.get(name);
    this.#before.set(name, after);
    const ran = before?.state.running?.startedAt;
    const ended = after.state.terminated ?? after.lastState?.terminated;
    const known = before?.state.terminated ?? before?.lastState?.terminated;
    if (ended && ended.finishedAt !== known?.finishedAt) {
      if (ended.startedAt !== ran) this.#started(name, ended.startedAt);
      const message = `Container ${name} exited with ${ended.exitCode}`;
      this.note(new Date(ended.finishedAt), 'Exited', name, message);
    }
    const { running, waiting } = after.state;
    if (running) {
      if (running.startedAt !== ran) this.#started(name, running.startedAt);
      const at = new Date(Math.max(then.getTime(), Date.parse(running.startedAt)));
      if (after.started && !before?.started) {
        this.note(at, 'StartupPassed', name, `Container ${name} has started`);
      }
      if (after.ready !== (before?.ready ?? false)) {
        const reason = after.ready ? 'Ready' : 'NotReady';
        this.note(at, reason, name, `Container ${name} is ${after.ready ? '' : 'not '}ready`);
      }
    }
    if (
      waiting &&
      /BackOff|Err/.test(waiting.reason) &&
      waiting.reason !== before?.state.waiting?.reason
    ) {
      const reason = waiting.reason === 'CrashLoopBackOff' ? 'BackOff' : 'Failed';
      this.note(now, reason, name, waiting.message ?? waiting.reason);
    }
  }

  #started(name: string, time: string) {
    this.note(new Date(time), 'Started', name, `Started container ${name}`);
  }
}
