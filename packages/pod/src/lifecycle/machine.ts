import type { ContainerSpec, PodSpec } from '../manifest/types.ts';
import { nextProbe, noteProbe, startProbes, stopProbes } from './probes.ts';
import { beginStop, stopExpired, stopHookDone, takeTurn } from './stop.ts';
import type {
  ContainerState,
  Instant,
  MachineOptions,
  PodAction,
  PodEvent,
  Role,
} from './types.ts';

const BACKOFF_BASE = 10_000;
const BACKOFF_CAP = 300_000;

/**
 * The lifecycle of one Pod as the kubelet (1.33 and later) gives it, without I/O: events and the
 * time go in, actions come out. The same events at the same times give the same actions.
 *
 * Init containers run one after another; a sidecar (`restartPolicy: Always` among them) lets the
 * next one start once it has started; main containers start together when all have. A crash is
 * answered by the restart policy with a doubling back-off. Once the Pod ends, main containers are
 * stopped first and then the sidecars in reverse order, all within one grace period.
 */
export class PodMachine {
  readonly spec: PodSpec;
  readonly containers: readonly ContainerState[];
  phase: 'Pending' | 'Running' | 'Succeeded' | 'Failed' = 'Pending';
  /** Set once the Pod is on its way to its end, whatever the cause. */
  ending: { readonly deadline: Instant; readonly requested: boolean } | undefined;
  ended = false;
  begunAt: Instant | undefined;
  readonly #backoffBase: number;
  #actions: PodAction[] = [];

  constructor({ spec, backoffBase = BACKOFF_BASE }: MachineOptions) {
    this.spec = spec;
    this.#backoffBase = backoffBase;
    this.containers = [
      ...(spec.initContainers ?? []).map((container) =>
        newContainer(container, container.restartPolicy === 'Always' ? 'sidecar' : 'init'),
      ),
      ...spec.containers.map((container) => newContainer(container, 'main')),
    ];
  }

  /** Takes an event at a time and says what is to be done now. */
  handle(event: PodEvent, now: Instant): PodAction[] {
    this.#actions = [];
    if (this.ended) return [];
    if (event.type === 'begin') this.begunAt = now;
    else if (event.type === 'terminate') this.#terminate(event.gracePeriodSeconds, now);
    else if (event.type !== 'tick') this.#containerEvent(event, now);
    if (this.begunAt !== undefined) this.#advance(now);
    return this.#actions;
  }

  /** The next instant at which time alone changes something: send a `tick` then. */
  get deadline(): Instant | undefined {
    let least: Instant | undefined;
    const consider = (at: Instant | undefined) => {
      if (at !== undefined && (least === undefined || at < least)) least = at;
    };
    for (const container of this.containers) {
      consider(container.restartAt);
      if (container.stop && container.stop.step !== 'kill') consider(container.stop.deadline);
      for (const probe of container.probes) consider(probe.due);
    }
    return this.ended ? undefined : least;
  }

  /** All main containers and sidecars are ready, and every init container has done its work. */
  get ready(): boolean {
    return (
      this.#initialized && this.containers.every(({ role, ready }) => role === 'init' || ready)
    );
  }

  get #initialized(): boolean {
    return this.containers.every((container) => container.role === 'main' || passed(container));
  }

  get initialized(): boolean {
    return this.#initialized;
  }

  #containerEvent(
    event: Exclude<PodEvent, { type: 'begin' | 'terminate' | 'tick' }>,
    now: Instant,
  ) {
    const container = this.containers.find(({ spec }) => spec.name === event.container);
    // What belongs to an earlier run no longer matters.
    if (!container || container.attempt !== event.attempt) return;
    switch (event.type) {
      case 'started':
        this.#onStarted(container, event.id, now);
        break;
      case 'startFailed':
        container.phase = 'waiting';
        container.reason = event.reason;
        container.message = event.message;
        this.#note('Failed', container, event.message);
        this.#backOff(container, now);
        break;
      case 'exited':
        this.#onExited(container, event.exitCode, event.oomKilled ?? false, now);
        break;
      case 'hookDone':
        this.#onHookDone(container, event, now);
        break;
      case 'probed':
        if (container.phase !== 'running') break;
        this.#actions.push(...noteProbe(container, event, now));
        if (
          container.probes.some(
            ({ kind, failures }) => kind !== 'readiness' && failures === Number.POSITIVE_INFINITY,
          )
        ) {
          this.#stopFailed(container, event.probe, now);
        }
        break;
    }
  }

  #onStarted(container: ContainerState, id: string, now: Instant) {
    container.phase = 'running';
    container.reason = '';
    container.message = '';
    container.id = id;
    container.startedAt = now;
    container.restartAt = undefined;
    this.#note('Started', container, `Started container ${container.spec.name}`);
    const postStart = container.spec.lifecycle?.postStart;
    container.postStartDone = postStart === undefined;
    if (postStart) {
      this.#actions.push({
        type: 'hook',
        container: container.spec.name,
        attempt: container.attempt,
        hook: 'postStart',
        handler: postStart,
        timeout: Number.POSITIVE_INFINITY,
      });
    } else {
      startProbes(container, now);
    }
    // The Pod's end may have begun while it was being started.
    if (this.ending)
      this.#actions.push(...beginStop(container, this.ending.deadline, 'Killing', true, now));
  }

  #onHookDone(
    container: ContainerState,
    event: Extract<PodEvent, { type: 'hookDone' }>,
    now: Instant,
  ) {
    if (event.hook === 'preStop') {
      if (!event.ok)
        this.#note('FailedPreStopHook', container, event.message ?? 'PreStopHook failed');
      stopHookDone(container);
      return;
    }
    container.postStartDone = true;
    if (event.ok) {
      startProbes(container, now);
      return;
    }
    this.#note('FailedPostStartHook', container, event.message ?? 'PostStartHook failed');
    this.#actions.push(
      ...beginStop(
        container,
        now + this.spec.terminationGracePeriodSeconds * 1000,
        'FailedPostStartHook',
        false,
        now,
      ),
    );
  }

  #stopFailed(container: ContainerState, probe: string, now: Instant) {
    if (container.stop) return;
    const { terminationGracePeriodSeconds: own } =
      (probe === 'startup' ? container.spec.startupProbe : container.spec.livenessProbe) ?? {};
    const grace = (own ?? this.spec.terminationGracePeriodSeconds) * 1000;
    this.#note(
      'Killing',
      container,
      `Container ${container.spec.name} failed ${probe} probe, will be restarted`,
    );
    this.#actions.push(...beginStop(container, now + grace, 'Unhealthy', false, now));
  }

  #onExited(container: ContainerState, exitCode: number, oomKilled: boolean, now: Instant) {
    if (container.phase !== 'running' && container.phase !== 'starting') return;
    const reason = oomKilled ? 'OOMKilled' : exitCode === 0 ? 'Completed' : 'Error';
    container.current = {
      exitCode,
      reason,
      startedAt: container.startedAt,
      finishedAt: now,
      id: container.id,
    };
    container.phase = 'terminated';
    container.reason = reason;
    container.started = container.role === 'init' && exitCode === 0;
    container.ready = container.started;
    container.stop = undefined;
    stopProbes(container);
    this.#note(
      exitCode === 0 ? 'Exited' : 'Died',
      container,
      `Container ${container.spec.name} exited with ${exitCode}${oomKilled ? ' (out of memory)' : ''}`,
    );
    if (!this.ending && this.#restarts(container)) this.#backOff(container, now);
  }

  /** Whether its restart policy starts this ended container again. */
  #restarts({ role, current }: ContainerState): boolean {
    if (role === 'sidecar') return true;
    const failed = current?.exitCode !== 0;
    const policy = this.spec.restartPolicy;
    if (role === 'init') return failed && policy !== 'Never';
    return policy === 'Always' || (policy === 'OnFailure' && failed);
  }

  /**
   * The first restart is immediate; then 10 s after the end of the run before, doubling to 5 min,
   * and anew once a run has lasted twice that (kubelet, `pkg/kubelet/kuberuntime`, doBackOff).
   */
  #backOff(container: ContainerState, now: Instant) {
    const ran = container.current ? now - container.startedAt : 0;
    if (ran >= 2 * BACKOFF_CAP) container.backoff = 0;
    container.restartAt = now + container.backoff;
    if (container.backoff > 0) {
      this.#note(
        'BackOff',
        container,
        `Back-off ${container.backoff / 1000}s restarting failed container ${container.spec.name}`,
      );
      if (container.phase === 'terminated') this.#toWaiting(container, 'CrashLoopBackOff');
      container.message = `back-off ${container.backoff / 1000}s restarting failed container`;
    }
    container.backoff = Math.min(
      BACKOFF_CAP,
      container.backoff === 0 ? this.#backoffBase : container.backoff * 2,
    );
  }

  #toWaiting(container: ContainerState, reason: string) {
    container.last = container.current ?? container.last;
    container.current = undefined;
    container.phase = 'waiting';
    container.reason = reason;
  }

  #terminate(gracePeriodSeconds: number | undefined, now: Instant) {
    if (this.ending?.requested) return;
    const grace = (gracePeriodSeconds ?? this.spec.terminationGracePeriodSeconds) * 1000;
    this.#end(Math.min(now + grace, this.ending?.deadline ?? Number.POSITIVE_INFINITY), true, now);
  }

  #end(deadline: Instant, requested: boolean, now: Instant) {
    const first = !this.ending;
    this.ending = { deadline, requested };
    for (const container of this.containers) {
      container.restartAt = undefined;
      if (container.phase === 'running') {
        if (first) this.#note('Killing', container, `Stopping container ${container.spec.name}`);
        this.#actions.push(...beginStop(container, deadline, 'Killing', true, now));
      }
    }
  }

  /** Does everything that the present state and time allow. */
  #advance(now: Instant) {
    if (!this.ending) {
      this.#startDue(now);
      if (this.#complete())
        this.#end(now + this.spec.terminationGracePeriodSeconds * 1000, false, now);
    }
    for (const container of this.containers) {
      if (container.phase === 'running') this.#actions.push(...nextProbe(container, now));
      if (container.stop) {
        this.#actions.push(...takeTurn(container, this.containers, now));
        this.#actions.push(...stopExpired(container, now));
      }
    }
    this.#setPhase();
    if (
      this.ending &&
      this.containers.every(({ phase }) => phase !== 'running' && phase !== 'starting')
    ) {
      this.ended = true;
      if (this.phase === 'Pending' || this.phase === 'Running')
        this.phase = this.#failed() ? 'Failed' : 'Succeeded';
      this.#actions.push({ type: 'ended' });
    }
  }

  #startDue(now: Instant) {
    let initialized = true;
    for (const container of this.containers) {
      if (container.role === 'main' && !initialized) break;
      // Once it has been passed, an init container is not gone back to, and a sidecar that
      // crashes later does not hold up what comes after it.
      if (this.#isDue(container, now)) this.#start(container);
      if (container.role !== 'main' && !passed(container) && !this.#mainsBegan()) {
        initialized = false;
        break;
      }
    }
  }

  #mainsBegan(): boolean {
    return this.containers.some(({ role, attempt }) => role === 'main' && attempt >= 0);
  }

  #isDue(container: ContainerState, now: Instant): boolean {
    if (container.phase === 'running' || container.phase === 'starting') return false;
    if (container.restartAt !== undefined) return container.restartAt <= now;
    return container.attempt < 0;
  }

  #start(container: ContainerState) {
    if (container.phase === 'terminated') this.#toWaiting(container, 'ContainerCreating');
    container.attempt++;
    container.phase = 'starting';
    container.reason = 'ContainerCreating';
    container.message = '';
    container.restartAt = undefined;
    container.started = false;
    container.ready = false;
    this.#actions.push({
      type: 'start',
      container: container.spec.name,
      attempt: container.attempt,
    });
  }

  /** Every main container has ended for good, or an init container has failed for good. */
  #complete(): boolean {
    if (this.#initFailed()) return true;
    return this.containers.every(
      (container) =>
        container.role !== 'main' ||
        (container.phase === 'terminated' && container.restartAt === undefined),
    );
  }

  #initFailed(): boolean {
    return this.containers.some(
      (container) =>
        container.role === 'init' &&
        container.current !== undefined &&
        container.current.exitCode !== 0 &&
        container.restartAt === undefined,
    );
  }

  #failed(): boolean {
    return this.containers.some(
      ({ role, current, last, phase }) =>
        (role === 'main' &&
          (phase === 'terminated'
            ? current?.exitCode !== 0
            : last !== undefined || this.ending !== undefined)) ||
        (role === 'init' && current !== undefined && current.exitCode !== 0),
    );
  }

  #setPhase() {
    const mains = this.containers.filter(({ role }) => role === 'main');
    if (this.#complete()) this.phase = this.#failed() ? 'Failed' : 'Succeeded';
    else if (this.#initialized || this.#mainsBegan()) {
      const begun = mains.every(
        ({ phase, attempt, last }) =>
          phase === 'running' || phase === 'terminated' || (attempt > 0 && last),
      );
      this.phase = begun || this.phase === 'Running' ? 'Running' : 'Pending';
    }
  }

  #note(reason: string, container: ContainerState, message: string) {
    this.#actions.push({ type: 'note', reason, container: container.spec.name, message });
  }
}

/** An init container that has done its work, or a sidecar that has started. */
function passed(container: ContainerState): boolean {
  return container.role === 'init'
    ? container.phase === 'terminated' && container.current?.exitCode === 0
    : container.phase === 'running' && container.started;
}

function newContainer(spec: ContainerSpec, role: Role): ContainerState {
  return {
    spec,
    role,
    phase: 'waiting',
    reason: 'PodInitializing',
    message: '',
    id: '',
    attempt: -1,
    startedAt: 0,
    started: false,
    postStartDone: false,
    ready: false,
    last: undefined,
    current: undefined,
    backoff: 0,
    restartAt: undefined,
    stop: undefined,
    probes: [],
  };
}
