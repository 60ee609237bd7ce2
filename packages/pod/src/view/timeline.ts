/**
 * The history of a Pod as a chart: a bar for each run of a container, ticks on it, and the waits
 * before it with their reasons. A pure function of the manifest and the recorded events, shared
 * by `pod explain` and the page of `pod view`.
 */

/** One recorded event, as `pod events` prints it. */
export interface RecordedEvent {
  /** RFC 3339. */
  readonly time: string;
  readonly reason: string;
  readonly container?: string;
  readonly message: string;
}

export type Role = 'init' | 'sidecar' | 'main';

/** The part of a container's manifest that its history depends on. */
export interface ContainerOutline {
  readonly name: string;
  readonly role: Role;
  readonly startupProbe: boolean;
  readonly readinessProbe: boolean;
  readonly postStart: boolean;
  /** After which of its ends it starts again. */
  readonly restarts: 'Always' | 'OnFailure' | 'Never';
}

export type RunState = 'starting' | 'running' | 'ready' | 'stopping';

/** A time in which a run was in one state; instants are milliseconds since 1970. */
export interface Segment {
  readonly state: RunState;
  readonly from: number;
  /** Undefined while it lasts. */
  readonly to: number | undefined;
}

export type TickKind = 'failed' | 'passed' | 'hook' | 'signal' | 'note';

export interface Tick {
  readonly at: number;
  readonly kind: TickKind;
  readonly text: string;
}

/** One run of a container. */
export interface Bar {
  readonly from: number;
  readonly to: number | undefined;
  readonly exitCode: number | undefined;
  readonly segments: readonly Segment[];
  readonly ticks: readonly Tick[];
}

/** A time in which a container did not run, or was not ready, and the reason. */
export interface Wait {
  readonly from: number;
  readonly to: number | undefined;
  readonly why: string;
}

/** The history of one container, in the order of the manifest. */
export interface Lane {
  readonly name: string;
  readonly role: Role;
  readonly bars: readonly Bar[];
  readonly waits: readonly Wait[];
}

export interface Timeline {
  readonly begin: number;
  readonly lanes: readonly Lane[];
  /** Events of the Pod itself. */
  readonly ticks: readonly Tick[];
}

interface Run {
  from: number;
  to?: number;
  exitCode?: number;
  segments: { state: RunState; from: number; to?: number }[];
  ticks: Tick[];
}

interface Track {
  readonly outline: ContainerOutline;
  readonly runs: Run[];
  readonly pauses: Wait[];
  /** Since when it waits for its next start, and why. */
  pause: { from: number; why: string } | undefined;
  /** When what follows it in the order of start was allowed to start. */
  passedAt: number | undefined;
}

/** Builds the timeline of a Pod that was created at `begin`, in milliseconds since 1970. */
export function timelineOf(
  containers: readonly ContainerOutline[],
  events: readonly RecordedEvent[],
  begin: number,
): Timeline {
  const tracks = new Map<string, Track>(
    containers.map((outline) => [
      outline.name,
      { outline, runs: [], pauses: [], pause: undefined, passedAt: undefined },
    ]),
  );
  const ticks: Tick[] = [];
  for (const event of events) {
    const at = Date.parse(event.time);
    const track = event.container === undefined ? undefined : tracks.get(event.container);
    if (track) record(track, event, at);
    else ticks.push({ at, kind: kindOf(event.reason), text: event.message });
  }
  const ordered = [...tracks.values()];
  const mains = ordered.filter(({ outline }) => outline.role === 'main');
  const over = mains.every(({ runs, pause }) => runs.at(-1)?.to !== undefined && !pause);
  // Without a main container that runs or will, no sidecar starts again.
  if (over) for (const track of ordered) track.pause = undefined;
  return {
    begin,
    ticks,
    lanes: ordered.map((track, index) => laneOf(track, ordered.slice(0, index), begin)),
  };
}

function record(track: Track, { reason, message }: RecordedEvent, at: number) {
  const { outline, runs } = track;
  const run = runs.at(-1);
  switch (reason) {
    case 'Started':
      if (track.pause) track.pauses.push({ ...track.pause, to: at });
      track.pause = undefined;
      begin(track, at);
      return;
    case 'Exited':
      if (run && run.to === undefined) {
        run.to = at;
        const code = /exited with (\d+)/.exec(message)?.[1];
        if (code !== undefined) run.exitCode = Number(code);
        close(run, at);
        const ok = run.exitCode === 0;
        const again = outline.restarts === 'Always' || (outline.restarts === 'OnFailure' && !ok);
        track.pause = again ? { from: at, why: 'restart' } : undefined;
        if (outline.role === 'init' && ok) track.passedAt ??= at;
      }
      return;
    case 'BackOff':
      track.pause = { from: track.pause?.from ?? at, why: lower(message) };
      return;
    case 'StartupPassed':
      track.passedAt ??= at;
      if (run) enter(run, outline.readinessProbe ? 'running' : 'ready', at);
      break;
    case 'Ready':
      if (run) enter(run, 'ready', at);
      break;
    case 'NotReady':
      if (run) enter(run, 'running', at);
      break;
    case 'Killing':
      if (run) enter(run, 'stopping', at);
      break;
    case 'Failed':
      if (!run || run.to !== undefined) {
        track.pause = { from: track.pause?.from ?? at, why: message };
        return;
      }
  }
  run?.ticks.push({ at, kind: kindOf(reason), text: message });
}

function begin(track: Track, at: number) {
  const { startupProbe, readinessProbe, postStart, role } = track.outline;
  const waits = startupProbe || postStart;
  const state = waits ? 'starting' : readinessProbe || role === 'init' ? 'running' : 'ready';
  track.runs.push({ from: at, segments: [{ state, from: at }], ticks: [] });
  if (!waits && role !== 'init') track.passedAt ??= at;
}

function enter(run: Run, state: RunState, at: number) {
  const last = run.segments.at(-1);
  if (!last || last.state === state || run.to !== undefined) return;
  last.to = at;
  run.segments.push({ state, from: at });
}

function close(run: Run, at: number) {
  const last = run.segments.at(-1);
  if (last) last.to = at;
}

function laneOf(track: Track, before: readonly Track[], begin: number): Lane {
  const { outline, runs, pauses, pause } = track;
  const first = runs[0]?.from;
  const gate = gateOf(before);
  const start = startWait(gate, track, begin, first);
  return {
    name: outline.name,
    role: outline.role,
    waits: [
      ...start,
      ...pauses,
      ...(pause ? [{ from: pause.from, to: undefined, why: pause.why }] : []),
    ],
    bars: runs.map(({ from, to, exitCode, segments, ticks }) => ({
      from,
      to,
      exitCode,
      segments: segments.map((one) => ({ state: one.state, from: one.from, to: one.to })),
      ticks,
    })),
  };
}

/** Finds the container that the next one in the order of start waits for. */
function gateOf(before: readonly Track[]): Track | undefined {
  const gates = before.filter(({ outline }) => outline.role !== 'main');

  return gates.at(-1);
}

function startWait(
  gate: Track | undefined,
  track: Track,
  begin: number,
  first: number | undefined,
): Wait[] {
  const until = first ?? track.pause?.from;
  if (!gate) {
    return until === begin ? [] : [{ from: begin, to: until, why: 'its sandbox and its image' }];
  }
  const { outline, passedAt } = gate;
  const why =
    outline.role === 'init'
      ? `${outline.name} to complete`
      : outline.startupProbe
        ? `${outline.name}'s startup probe`
        : outline.postStart
          ? `${outline.name}'s postStart hook`
          : `${outline.name} to start`;
  return [{ from: begin, to: passedAt === undefined ? until : Math.max(begin, passedAt), why }];
}

function kindOf(reason: string): TickKind {
  if (/^(Unhealthy|Failed|ProbeError|BackOff|Evicted|Killing)/.test(reason)) return 'failed';
  if (/^(Ready|StartupPassed)$/.test(reason)) return 'passed';
  if (reason === 'Hook') return 'hook';
  return reason === 'Signal' ? 'signal' : 'note';
}

function lower(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
