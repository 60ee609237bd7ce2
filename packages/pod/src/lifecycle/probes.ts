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

/** Sets the probes of a container that has just started, once its postStart is done. */
export function startProbes(container: ContainerState, now: Instant): void {
  container.probes = KINDS.flatMap((kind) => {
    const probe = specOf(container, kind);
    if (!probe) return [];
    // Liveness and readiness are asked only after startup has passed.
    const waits = kind !== 'startup' && container.spec.startupProbe !== undefined;
    return [
      {
        kind,
        due: waits ? undefined : firstDue(probe, container.startedAt, now),
        successes: 0,
        failures: 0,
      },
    ];
  });
  if (!container.spec.startupProbe) hasStarted(container);
}

export function stopProbes(container: ContainerState): void {
  container.probes = [];
}

/** The probes that are due now, each once until its answer comes. */
export function nextProbe(container: ContainerState, now: Instant): PodAction[] {
  const actions: PodAction[] = [];
  for (const probe of container.probes) {
    const spec = specOf(container, probe.kind);
    if (!spec || probe.due === undefined || probe.due > now) continue;
    probe.due = undefined;
    actions.push({
      type: 'probe',
      container: container.spec.name,
      attempt: container.attempt,
      probe: probe.kind,
      handler: spec,
      timeout: (spec.timeoutSeconds ?? 1) * 1000,
    });
  }
  return actions;
}

/**
 * Counts an answer against the thresholds. A startup or liveness probe that has failed for good
 * is left with infinite failures, for the machine to stop the container.
 */
export function noteProbe(
  container: ContainerState,
  { probe: kind, ok, message = '' }: Extract<PodEvent, { type: 'probed' }>,
  now: Instant,
): PodAction[] {
  const probe = container.probes.find((one) => one.kind === kind);
  const spec = specOf(container, kind);
  if (!probe || !spec) return [];
  probe.due = now + (spec.periodSeconds ?? 10) * 1000;
  if (container.stop && kind !== 'readiness') probe.due = undefined;
  probe.successes = ok ? probe.successes + 1 : 0;
  probe.failures = ok ? 0 : probe.failures + 1;
  const actions: PodAction[] = [];
  const note = (reason: string, text: string) =>
    actions.push({ type: 'note', reason, container: container.spec.name, message: text });
  if (ok) {
    if (probe.successes === (spec.successThreshold ?? 1)) onPassed(container, probe, now, note);
    return actions;
  }
  note('Unhealthy', `${title(kind)} probe failed${message ? `: ${message}` : ''}`);
  if (probe.failures < (spec.failureThreshold ?? 3)) return actions;
  if (kind === 'readiness') {
    if (container.ready) note('NotReady', `Container ${container.spec.name} is not ready`);
    container.ready = false;
  } else if (!container.stop) {
    probe.failures = Number.POSITIVE_INFINITY;
    probe.due = undefined;
  }
  return actions;
}

function onPassed(
  container: ContainerState,
  probe: ProbeState,
  now: Instant,
  note: (reason: string, text: string) => void,
) {
  if (probe.kind === 'startup') {
    probe.due = undefined;
    note('StartupPassed', `Startup probe of ${container.spec.name} passed`);
    hasStarted(container);
    for (const other of container.probes) {
      const spec = specOf(container, other.kind);
      if (other.kind !== 'startup' && spec) other.due = firstDue(spec, container.startedAt, now);
    }
  } else if (probe.kind === 'readiness' && !container.ready) {
    container.ready = true;
    note('Ready', `Container ${container.spec.name} is ready`);
  }
}

function hasStarted(container: ContainerState) {
  container.started = true;
  if (!container.spec.readinessProbe) container.ready = true;
}

/** The first try comes after the initial delay, counted from the container's start. */
function firstDue(probe: Probe, startedAt: Instant, now: Instant): Instant {
  return Math.max(now, startedAt + (probe.initialDelaySeconds ?? 0) * 1000);
}

function specOf({ spec }: ContainerState, kind: ProbeKind): Probe | undefined {
  if (kind === 'startup') return spec.startupProbe;
  return kind === 'readiness' ? spec.readinessProbe : spec.livenessProbe;
}

function title(kind: ProbeKind): string {
  return kind === 'startup' ? 'Startup' : kind === 'readiness' ? 'Readiness' : 'Liveness';
}
