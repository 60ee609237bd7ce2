import type { Probe } from '../manifest/types.ts';
import type {
  ContainerState,
  Instant,
  PodAction,
  PodEvent,
  ProbeKind,
  ProbeState,
} from './types.ts';

const KINDS = ['startup', 'readiness', 'liveness'] as const;

/** Pauses between the early tries, in milliseconds; the last repeats. */
const EARLY_PAUSES = [50, 100, 200, 400, 800];

/**
 * Sets the probes of a container that has just started, once its postStart is done.
 *
 * The kubelet's probes tick with the period, and a container starts somewhere between two ticks:
 * the first try that counts comes about a period after the start (and not before the initial
 * delay). It also probes readiness out of turn while a container is not ready. So here: probes
 * count at each period after the start; before the first success, startup and readiness are
 * also probed early, and a failure then is ignored.
 */
export function startProbes(container: ContainerState, now: Instant): void {
  container.probes = KINDS.flatMap((kind) => {
    const probe = specOf(container, kind);
    if (!probe) return [];
    const state = newProbe(kind);
    // Liveness and readiness are probed only after startup has passed.
    if (kind === 'startup' || !container.spec.startupProbe) schedule(state, probe, container, now);
    return [state];
  });
  if (!container.spec.startupProbe) hasStarted(container);
}

function newProbe(kind: ProbeKind): ProbeState {
  return { kind, due: undefined, counted: 0, counting: false, early: 0, successes: 0, failures: 0 };
}

function schedule(state: ProbeState, probe: Probe, { startedAt }: ContainerState, now: Instant) {
  const period = probe.periodSeconds * 1000;
  const ready = startedAt + probe.initialDelaySeconds * 1000;
  const ticks = Math.max(1, Math.ceil((Math.max(ready, now) - startedAt) / period));
  state.counted = startedAt + ticks * period;
  state.due = state.kind === 'liveness' ? state.counted : Math.max(ready, now);
}

/** Returns the probes that are due now, each once until its result arrives. */
export function nextProbe(container: ContainerState, now: Instant): PodAction[] {
  const actions: PodAction[] = [];
  for (const probe of container.probes) {
    const spec = specOf(container, probe.kind);
    if (!spec || probe.due === undefined || probe.due > now) continue;
    probe.due = undefined;
    probe.counting = now >= probe.counted;
    actions.push({
      type: 'probe',
      container: container.spec.name,
      attempt: container.attempt,
      probe: probe.kind,
      handler: spec,
      timeout: spec.timeoutSeconds * 1000,
    });
  }
  return actions;
}

/** The effect of a result: nothing yet, or a change of the container's state. */
export interface ProbeVerdict {
  readonly actions: PodAction[];
  /** A startup or liveness probe has failed for good: the container is to be stopped. */
  readonly unhealthy: boolean;
}

/** Counts a result against the thresholds. */
export function noteProbe(
  container: ContainerState,
  { probe: kind, result, message }: Extract<PodEvent, { type: 'probed' }>,
  now: Instant,
): ProbeVerdict {
  const probe = container.probes.find((one) => one.kind === kind);
  const spec = specOf(container, kind);
  // A container that is stopping is no longer probed for liveness.
  if (!probe || !spec || (container.stop && kind !== 'readiness')) {
    return { actions: [], unhealthy: false };
  }
  const actions: PodAction[] = [];
  const note = (reason: string, text: string) =>
    actions.push({ type: 'note', reason, container: container.spec.name, message: text });
  // A try that began early counts if it took until the next period.
  const counting = probe.counting || now >= probe.counted;
  const ok = result === 'success';
  again(probe, spec, ok, now);
  if (ok) {
    probe.failures = 0;
    probe.successes++;
    if (probe.successes >= spec.successThreshold) onPassed(container, probe, now, note);
    return { actions, unhealthy: false };
  }
  if (result === 'error') {
    // The kubelet discards the result of a prober that failed (worker.go: doProbe).
    if (counting) note('ProbeError', `${TITLES[kind]} probe errored: ${message ?? ''}`);
    return { actions, unhealthy: false };
  }
  if (!counting) return { actions, unhealthy: false };
  probe.successes = 0;
  probe.failures++;
  note('Unhealthy', `${TITLES[kind]} probe failed${message ? `: ${message}` : ''}`);
  if (probe.failures < spec.failureThreshold) return { actions, unhealthy: false };
  if (kind === 'readiness') {
    if (container.ready) note('NotReady', `Container ${container.spec.name} is not ready`);
    container.ready = false;
    return { actions, unhealthy: false };
  }
  probe.due = undefined;
  return { actions, unhealthy: true };
}

/** Sets the next probe: at the next tick, or early before the first success. */
function again(probe: ProbeState, spec: Probe, ok: boolean, now: Instant) {
  const period = spec.periodSeconds * 1000;
  while (probe.counted <= now) probe.counted += period;
  const waiting = !ok && probe.kind !== 'liveness' && probe.early >= 0;
  if (ok) probe.early = -1;
  if (!waiting) {
    probe.due = probe.counted;
    return;
  }
  const pause = EARLY_PAUSES[Math.min(probe.early, EARLY_PAUSES.length - 1)] ?? period;
  probe.early++;
  probe.due = Math.min(probe.counted, now + pause);
}

function onPassed(
  container: ContainerState,
  probe: ProbeState,
  now: Instant,
  note: (reason: string, text: string) => void,
) {
  const { name } = container.spec;
  if (probe.kind === 'startup') {
    probe.due = undefined;
    note('StartupPassed', `Startup probe of ${name} passed`);
    hasStarted(container);
    for (const other of container.probes) {
      const spec = specOf(container, other.kind);
      if (other.kind !== 'startup' && spec) schedule(other, spec, container, now);
    }
  } else if (probe.kind === 'readiness' && !container.ready) {
    container.ready = true;
    note('Ready', `Container ${name} is ready`);
  }
}

function hasStarted(container: ContainerState) {
  container.started = true;
  // An init container is ready once it has ended well (kubelet: UpdatePodStatus in prober_manager.go).
  if (container.role !== 'init' && !container.spec.readinessProbe) container.ready = true;
}

function specOf({ spec }: ContainerState, kind: ProbeKind): Probe | undefined {
  if (kind === 'startup') return spec.startupProbe;
  return kind === 'readiness' ? spec.readinessProbe : spec.livenessProbe;
}

const TITLES: Readonly<Record<ProbeKind, string>> = {
  startup: 'Startup',
  readiness: 'Readiness',
  liveness: 'Liveness',
};
