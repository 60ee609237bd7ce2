import type { PodSpec } from '../manifest/types.ts';
import { BACKOFF_BASE, backOff } from './backoff.ts';
import {
  isBusy,
  isDue,
  newContainers,
  restarts,
  runOf,
  settle,
  toRunning,
  toStarting,
  toTerminated,
  toWaiting,
} from './container.ts';
import { initFailed, isDone, isUp, type Phase, phaseOf } from './phase.ts';
import { nextProbe, noteProbe, startProbes } from './probes.ts';
import { beginStop, stopExpired, stopHookDone, takeTurn } from './stop.ts';
import type {
  ContainerState,
  Instant,
  MachineOptions,
  Note,
  PodAction,
  PodEvent,
  Run,
} from './types.ts';

type ContainerEvent = Extract<PodEvent, Run>;

/**
 * The lifecycle of one Pod as in the kubelet (1.33 and later), without I/O: events and the
 * time go in, actions come out. The same events at the same times give the same actions.
 *
 * Init containers run one after another; a sidecar (`restartPolicy: Always` among them) lets the
 * next one start once it has started; then the main containers start together. A crash is
 * answered by the restart policy with a doubling back-off. When the Pod ends, main containers are
 * stopped first and then the sidecars in reverse order, all within one grace period.
 */
export class PodMachine {
  readonly spec: PodSpec;
  readonly containers: readonly ContainerState[];
  phase: Phase = 'Pending';
  /** Set once the Pod is terminating, whatever the cause. */
  ending: { readonly deadline: Instant; readonly requested: boolean } | undefined;
  /** Why the Pod failed, if not because of its containers' exit codes. */
  failure: { readonly reason: string; readonly message: string } | undefined;
  ended = false;
  begunAt: Instant | undefined;
  #activeDeadlineSeconds: number | undefined;
  readonly #backoffBase: number;
  readonly #backoffLimit: number;
  #evicted: { readonly reason: string; readonly message: string } | undefined;
  #sandbox: 'present' | 'lost' | 'requested' = 'present';
  #actions: PodAction[] = [];
  #now: Instant = Number.NEGATIVE_INFINITY;

  constructor({ spec, backoffBase = BACKOFF_BASE, backoffLimit }: MachineOptions) {
    this.spec = spec;
    this.#activeDeadlineSeconds = spec.activeDeadlineSeconds;
    this.#backoffBase = backoffBase;
    this.#backoffLimit = backoffLimit ?? Number.POSITIVE_INFINITY;
    this.containers = newContainers(spec);
  }

  /** Handles an event at an instant and returns the actions to carry out. */
  handle(event: PodEvent, now: Instant): PodAction[] {
    this.#actions = [];
    this.#now = now;
    if (this.ended) return [];
    if (event.type === 'begin') this.#onBegin(now);
    else if (event.type === 'terminate') this.#terminate(event.gracePeriodSeconds, now);
    else if (event.type === 'fail') this.#fail(event, now);
    else if (event.type === 'evict') this.#evict(event.message, now);
    else if (event.type === 'sandboxLost') this.#onSandboxLost(now);
    else if (event.type === 'deadline') this.#activeDeadlineSeconds = event.activeDeadlineSeconds;
    else if (event.type !== 'tick') this.#containerEvent(event, now);
    if (this.begunAt !== undefined || this.ending) this.#advance(now);
    return this.#actions;
  }

  /** The next instant at which time alone changes something: dispatch a `tick` then. */
  get deadline(): Instant | undefined {
    if (this.ended) return undefined;
    const instants = [this.ending ? undefined : this.#activeDeadline];
    for (const { restartAt, stop, probes } of this.containers) {
      instants.push(restartAt);
      if (stop && stop.step !== 'kill') instants.push(stop.deadline);
      for (const { due } of probes) instants.push(due);
    }
    // Instants up to the last event that are still set wait for another event, not for time.
    const known = instants.filter((instant) => instant !== undefined && instant > this.#now);
    return known.length === 0 ? undefined : Math.min(...(known as Instant[]));
  }

  /** All main containers and sidecars are ready, and every init container has done its work. */
  get ready(): boolean {
    return (
      this.initialized &&
      !this.ended &&
      this.containers.every(({ role, ready }) => role === 'init' || ready)
    );
  }

  get initialized(): boolean {
    return this.containers.every(({ role, passed }) => role === 'main' || passed);
  }

  get #activeDeadline(): Instant | undefined {
    const seconds = this.#activeDeadlineSeconds;
    return seconds === undefined || this.begunAt === undefined
      ? undefined
      : this.begunAt + seconds * 1000;
  }

  #containerEvent(event: ContainerEvent, now: Instant) {
    const container = this.containers.find(({ spec }) => spec.name === event.container);
    // Events of an earlier run no longer matter.
    if (!container || container.attempt !== event.attempt) return;
    switch (event.type) {
      case 'started':
        return this.#onStarted(container, event.id, now);
      case 'startFailed':
        return this.#onStartFailed(container, event, now);
      case 'exited':
        return this.#onExited(container, event, now);
      case 'hookDone':
        return this.#onHookDone(container, event, now);
      case 'probed': {
        if (container.phase !== 'running') return;
        const { actions, unhealthy } = noteProbe(container, event, now);
        this.#actions.push(...actions);
        if (unhealthy) this.#stopUnhealthy(container, event.probe, now);
      }
    }
  }

  #onStarted(container: ContainerState, id: string, now: Instant) {
    if (container.phase !== 'starting') return;
    this.#begin(container, id, now);
    this.#note('Started', container, `Started container ${container.spec.name}`);
    const postStart = container.spec.lifecycle?.postStart;
    container.postStartDone = postStart === undefined;
    if (postStart) {
      this.#actions.push({
        type: 'hook',
        ...runOf(container),
        hook: 'postStart',
        handler: postStart,
        timeout: Number.POSITIVE_INFINITY,
      });
    } else {
      startProbes(container, now);
    }
    // The Pod's end may have begun while it was being started.
    if (this.#sandbox === 'lost') {
      this.#stop(container, now + this.#gracePeriod, { final: false }, now);
    }
    if (this.ending) this.#stop(container, this.ending.deadline, { final: true }, now);
  }

  #begin(container: ContainerState, id: string, now: Instant) {
    toRunning(container, id, now);
    if (this.#restartCount >= Math.max(1, this.#backoffLimit) && !this.ending) {
      const message = 'Job has reached the specified backoff limit';
      this.#fail({ type: 'fail', reason: 'BackoffLimitExceeded', message }, now);
    }
  }

  get #restartCount(): number {
    return this.containers.reduce((sum, { runs }) => sum + Math.max(0, runs - 1), 0);
  }

  /** As for a pull that fails: no run, no restart, another try after the back-off. */
  #onStartFailed(
    container: ContainerState,
    { reason, message }: Extract<PodEvent, { type: 'startFailed' }>,
    now: Instant,
  ) {
    if (container.phase !== 'starting') return;
    const again = container.message === message;
    container.phase = 'waiting';
    container.reason = reason;
    container.message = message;
    if (!again) this.#note('Failed', container, message);
    container.backoff = Math.max(container.backoff, this.#backoffBase);
    backOff(container, this.#backoffBase, now);
  }

  #onHookDone(
    container: ContainerState,
    event: Extract<PodEvent, { type: 'hookDone' }>,
    now: Instant,
  ) {
    if (container.phase !== 'running') return;
    const { ok, message = '' } = event;
    if (event.hook === 'preStop') {
      if (!ok) this.#note('FailedPreStopHook', container, `PreStopHook failed: ${message}`);
      stopHookDone(container);
      return;
    }
    if (container.postStartDone) return;
    container.postStartDone = true;
    if (ok) {
      if (!container.stop) startProbes(container, now);
      return;
    }
    this.#note('FailedPostStartHook', container, `PostStartHook failed: ${message}`);
    this.#stop(container, now + this.#gracePeriod, { final: false }, now);
  }

  get #gracePeriod(): number {
    return this.spec.terminationGracePeriodSeconds * 1000;
  }

  #stopUnhealthy(container: ContainerState, probe: string, now: Instant) {
    const { livenessProbe, startupProbe, name } = container.spec;
    const { terminationGracePeriodSeconds: own } =
      (probe === 'startup' ? startupProbe : livenessProbe) ?? {};
    const grace = own === undefined ? this.#gracePeriod : own * 1000;
    const again =
      container.role === 'sidecar' || this.spec.restartPolicy !== 'Never'
        ? ', will be restarted'
        : '';
    this.#note('Killing', container, `Container ${name} failed ${probe} probe${again}`);
    this.#stop(container, now + grace, { final: false, unhealthy: true }, now);
  }

  #stop(
    container: ContainerState,
    deadline: Instant,
    how: { readonly final: boolean; readonly unhealthy?: boolean },
    now: Instant,
  ) {
    this.#actions.push(...beginStop(container, deadline, how, now));
  }

  #onExited(
    container: ContainerState,
    { exitCode, reason, message }: Extract<PodEvent, { type: 'exited' }>,
    now: Instant,
  ) {
    // A start that fails inside the runtime is a run that ended at once.
    if (container.phase === 'starting') this.#begin(container, '', now);
    if (container.phase !== 'running') return;
    const unhealthy = container.stop?.unhealthy ?? false;
    toTerminated(container, { exitCode, reason, message }, now);
    const oom = reason === 'OOMKilled' ? ', out of memory' : '';
    this.#note(
      'Exited',
      container,
      `Container ${container.spec.name} exited with ${exitCode}${oom}`,
    );
    const lost = this.#sandbox !== 'present';
    if (!this.ending && !lost && restarts(this.spec, container, unhealthy)) {
      this.#backOff(container, now);
    }
  }

  #backOff(container: ContainerState, now: Instant) {
    const pause = backOff(container, this.#backoffBase, now);
    if (pause === 0) return;
    const { name } = container.spec;
    const message = `back-off ${pause / 1000}s restarting failed container=${name}`;
    this.#note(
      'BackOff',
      container,
      `Back-off ${pause / 1000}s restarting failed container ${name}`,
    );
    toWaiting(container, 'CrashLoopBackOff', message);
  }

  #terminate(gracePeriodSeconds: number | undefined, now: Instant) {
    const grace = gracePeriodSeconds === undefined ? this.#gracePeriod : gracePeriodSeconds * 1000;
    this.#end(now + grace, true, now);
  }

  #fail({ reason, message }: Extract<PodEvent, { type: 'fail' }>, now: Instant) {
    if (this.ending) return;
    this.failure = { reason, message };
    this.#actions.push({ type: 'note', reason, message });
    this.#end(now + this.#gracePeriod, false, now);
  }

  /**
   * Evicts as the kubelet does: without a grace period, so that SIGKILL follows SIGTERM after 2 s,
   * and the Pod has failed only if a container did not end well (measured on kubelet 1.36).
   */
  #evict(message: string, now: Instant) {
    if (this.ending) return;
    this.#evicted = { reason: 'Evicted', message };
    this.#actions.push({ type: 'note', reason: 'Evicted', message });
    this.#end(now, false, now);
  }

  #onBegin(now: Instant) {
    this.begunAt ??= now;
    if (this.#sandbox !== 'requested') return;
    this.#sandbox = 'present';
    for (const container of this.containers) {
      container.passed = false;
      const finished =
        container.role === 'main' && container.current?.exitCode === 0 && !this.#always;
      if (!finished) container.restartAt = now;
    }
  }

  /** All containers of a lost sandbox are stopped, and start again in a new one (SandboxChanged). */
  #onSandboxLost(now: Instant) {
    if (this.ending || this.#sandbox !== 'present') return;
    this.#sandbox = 'lost';
    const message = 'Pod sandbox changed, it will be killed and re-created.';
    this.#actions.push({ type: 'note', reason: 'SandboxChanged', message });
    for (const container of this.containers) {
      container.restartAt = undefined;
      if (container.phase !== 'running') continue;
      this.#stop(container, now + this.#gracePeriod, { final: false }, now);
    }
  }

  get #always(): boolean {
    return this.spec.restartPolicy === 'Always';
  }

  /** Requests a new sandbox once nothing runs; with Never the Pod just ends. */
  #renewSandbox() {
    if (this.ending || this.#sandbox !== 'lost' || this.containers.some(isUp)) return;
    if (this.spec.restartPolicy === 'Never' && this.containers.some(({ runs }) => runs > 0)) return;
    this.#sandbox = 'requested';
    this.#actions.push({ type: 'sandbox' });
  }

  #end(wanted: Instant, requested: boolean, now: Instant) {
    const first = !this.ending;
    const deadline = Math.min(wanted, this.ending?.deadline ?? wanted);
    this.ending = { deadline, requested: requested || (this.ending?.requested ?? false) };
    for (const container of this.containers) {
      container.restartAt = undefined;
      if (container.phase !== 'running') continue;
      if (first) this.#note('Killing', container, `Stopping container ${container.spec.name}`);
      this.#stop(container, deadline, { final: true }, now);
    }
  }

  /** Does everything that the current state and time allow. */
  #advance(now: Instant) {
    const active = this.#activeDeadline;
    if (!this.ending && active !== undefined && now >= active) {
      const message = 'Pod was active on the node longer than the specified deadline';
      this.#fail({ type: 'fail', reason: 'DeadlineExceeded', message }, now);
    }
    for (const container of this.containers) {
      if (container.role === 'sidecar' && container.started) container.passed = true;
      if (container.phase === 'running') this.#actions.push(...nextProbe(container, now));
    }
    if (!this.ending && this.#complete()) this.#end(now + this.#gracePeriod, false, now);
    if (!this.ending && this.#sandbox === 'present') this.#startDue(now);
    this.#renewSandbox();
    // In reverse, so that one pass lets a sidecar go as soon as the one after it is gone.
    for (const container of this.containers.toReversed()) {
      if (!container.stop) continue;
      this.#actions.push(...takeTurn(container, this.containers, now));
      this.#actions.push(...stopExpired(container, now));
    }
    const over = this.ending !== undefined && !this.containers.some(isUp);
    if (over) settle(this.containers, now);
    if (over && this.#evicted && this.containers.some(({ current }) => current?.exitCode)) {
      this.failure = this.#evicted;
    }
    const phase = this.failure ? 'Failed' : phaseOf(this.spec, this.containers, over);
    // The kubelet reports the end of a Pod only after its containers have ended (mergePodStatus).
    if (over || phase === 'Pending' || phase === 'Running') this.phase = phase;
    if (!over) return;
    this.ended = true;
    this.#actions.push({ type: 'ended' });
  }

  /** Main containers are done for good, or an init container has failed for good. */
  #complete(): boolean {
    // What a lost sandbox took with it starts again.
    if (this.#sandbox !== 'present' && this.spec.restartPolicy !== 'Never') return false;
    const mains = this.containers.filter(({ role }) => role === 'main');
    return (
      initFailed(this.spec, this.containers) ||
      mains.every((container) => isDone(this.spec, container))
    );
  }

  /**
   * Starts what is due, in order: nothing before all init containers and sidecars ahead of it
   * have passed, and nothing while a postStart hook runs, for which the kubelet waits.
   */
  #startDue(now: Instant) {
    for (const container of this.containers) {
      if (this.containers.some(isBusy)) return;
      if (isDue(container, now)) this.#start(container);
      if (container.role !== 'main' && !container.passed) return;
    }
  }

  #start(container: ContainerState) {
    toStarting(container);
    this.#actions.push({ type: 'start', ...runOf(container) });
  }

  #note(reason: string, { spec }: ContainerState, message: string) {
    const note: Note = { type: 'note', reason, container: spec.name, message };
    this.#actions.push(note);
  }
}
