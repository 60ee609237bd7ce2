import type { ContainerStatus, PodStatusObject } from '../lifecycle/status.ts';
import type { RecordedEvent } from './timeline.ts';

/** The most events that are kept of one Pod. */
const MAX_EVENTS = 2000;

/** Derives a Pod's events from the changes of its status: a cluster keeps its own for an hour only. */
export class KubeEvents {
  readonly uid: string;
  readonly recorded: RecordedEvent[] = [];
  readonly #before = new Map<string, ContainerStatus>();
  #terminating = false;

  constructor(uid: string) {
    this.uid = uid;
  }

  /** Compares a status with the one before, both as the API server sent them. */
  observe({ metadata, status }: PodStatusObject, now: Date): void {
    for (const one of [...status.initContainerStatuses, ...status.containerStatuses]) {
      this.#compare(this.#before.get(one.name), one, now);
      this.#before.set(one.name, one);
    }
    if (metadata.deletionTimestamp && !this.#terminating) {
      this.#terminating = true;
      this.#note(now, 'Killing', undefined, 'the Pod is terminating');
    }
    this.recorded.splice(0, this.recorded.length - MAX_EVENTS);
  }

  #compare(before: ContainerStatus | undefined, after: ContainerStatus, now: Date) {
    const { name } = after;
    const ran = before?.state.running?.startedAt;
    const ended = after.state.terminated ?? after.lastState?.terminated;
    const known = before?.state.terminated ?? before?.lastState?.terminated;
    if (ended && ended.finishedAt !== known?.finishedAt) {
      if (ended.startedAt !== ran) this.#started(name, ended.startedAt);
      const message = `Container ${name} exited with ${ended.exitCode}`;
      this.#note(new Date(ended.finishedAt), 'Exited', name, message);
    }
    const { running, waiting } = after.state;
    if (running && running.startedAt !== ran) this.#started(name, running.startedAt);
    if (after.started && !before?.started && running) {
      this.#note(now, 'StartupPassed', name, `Container ${name} has started`);
    }
    if (after.ready !== (before?.ready ?? false) && running) {
      const reason = after.ready ? 'Ready' : 'NotReady';
      const message = `Container ${name} is ${after.ready ? '' : 'not '}ready`;
      this.#note(now, reason, name, message);
    }
    if (
      waiting &&
      /BackOff|Err/.test(waiting.reason) &&
      waiting.reason !== before?.state.waiting?.reason
    ) {
      const reason = waiting.reason === 'CrashLoopBackOff' ? 'BackOff' : 'Failed';
      this.#note(now, reason, name, waiting.message ?? waiting.reason);
    }
  }

  #started(name: string, time: string) {
    this.#note(new Date(time), 'Started', name, `Started container ${name}`);
  }

  #note(time: Date, reason: string, container: string | undefined, message: string) {
    this.recorded.push({
      time: time.toISOString(),
      reason,
      ...(container === undefined ? {} : { container }),
      message,
    });
  }
}
