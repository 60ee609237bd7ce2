import { parseDocument, stringify } from 'yaml';
import { hasEnded, podSummary, stateOf } from '../commands/summary.ts';
import type { ContainerStatus, PodStatusObject } from '../lifecycle/status.ts';
import type { ContainerSpec, PodSpec, Volume } from '../manifest/types.ts';
import type { ContainerPhase, ContainerView, ManifestView, PodView, ServiceView } from './model.ts';
import { outlineOf } from './outline.ts';
import { type RecordedEvent, type Role, timelineOf } from './timeline.ts';

/** Events shown of one Pod; a probe that fails for days must not fill the page. */
const MAX_EVENTS = 2000;
const MASK = '********';
/** Names of variables whose values are not shown, since some people put secrets there. */
const SENSITIVE = /pass|secret|token|credential|private|api_?key/i;

/** Builds the page's view of a Pod. Values of Secrets are never part of it. */
export function podView(
  pod: PodStatusObject,
  events: readonly RecordedEvent[],
  services: readonly ServiceView[],
): PodView {
  const { metadata, spec, status } = pod;
  const statuses = new Map(
    [...status.initContainerStatuses, ...status.containerStatuses].map((one) => [one.name, one]),
  );
  const outline = outlineOf(spec);
  const specs = new Map([...spec.initContainers, ...spec.containers].map((one) => [one.name, one]));
  const containers = outline.flatMap(({ name, role }) => {
    const container = specs.get(name);
    return container ? [containerView(container, role, statuses.get(name))] : [];
  });
  return {
    name: metadata.name,
    namespace: metadata.namespace,
    summary: podSummary(pod),
    message: status.message,
    ended: hasEnded(pod),
    ip: status.podIP,
    containers,
    volumes: spec.volumes.map((one) => ({ name: one.name, kind: volumeKind(one) })),
    services,
    queues: [...new Set(containers.flatMap(({ queues }) => queues))],
    timeline: timelineOf(
      outline,
      events.slice(-MAX_EVENTS),
      Date.parse(metadata.creationTimestamp),
    ),
    manifest: manifestView(pod),
  };
}

function containerView(
  spec: ContainerSpec,
  role: Role,
  status: ContainerStatus | undefined,
): ContainerView {
  const { reason = 'Waiting', message } = stateOf(status) ?? {};
  const { terminated } = status?.state ?? {};
  return {
    name: spec.name,
    role,
    image: spec.image,
    phase: phaseOf(status),
    reason: status?.ready && reason === 'Running' ? 'Ready' : reason,
    message: terminated
      ? `exit code ${terminated.exitCode}${message ? `: ${message}` : ''}`
      : message,
    restarts: status?.restartCount ?? 0,
    ports: spec.ports.map(({ name, containerPort }) => ({
      name: name ?? '',
      port: containerPort,
    })),
    mounts: spec.volumeMounts.map(({ name, mountPath, readOnly }) => ({
      volume: name,
      path: mountPath,
      readOnly: readOnly ?? false,
    })),
    queues: queuesOf(spec),
    requests: spec.resources.requests as Record<string, string>,
    limits: spec.resources.limits as Record<string, string>,
  };
}

function phaseOf(status: ContainerStatus | undefined): ContainerPhase {
  if (!status) return 'waiting';
  const { running, terminated, waiting } = status.state;
  if (running) return status.ready ? 'ready' : 'starting';
  if (terminated) return terminated.exitCode === 0 ? 'completed' : 'failing';
  return /BackOff|Err/.test(waiting?.reason ?? '') ? 'failing' : 'waiting';
}

function queuesOf({ args, env }: ContainerSpec): string[] {
  const words = args ?? [];
  const flags = words.flatMap((word, i) =>
    word === '--queue' ? (words[i + 1] ?? []) : (/^--queue=(.+)$/.exec(word)?.[1] ?? []),
  );
  const variables = env.flatMap(({ name, value }) => (/_QUEUE$/.test(name) && value ? value : []));
  return [...flags, ...variables];
}

function volumeKind(volume: Volume): string {
  const [kind = 'volume', detail] =
    Object.entries(volume).find(([key, value]) => key !== 'name' && value !== undefined) ?? [];
  const { name, secretName, medium, path, claimName } = (detail ?? {}) as Record<string, unknown>;
  const what = [name, secretName, medium, path, claimName].find((one) => typeof one === 'string');
  return what ? `${kind} ${what}` : kind;
}

/** Writes the manifest as YAML, without the status, and finds each container's lines. */
function manifestView({ apiVersion, kind, metadata, spec }: PodStatusObject): ManifestView {
  const { name, namespace, labels, annotations } = metadata;
  const masked = { ...spec, ...maskAll(spec) };
  const text = stringify(
    { apiVersion, kind, metadata: { name, namespace, labels, annotations }, spec: masked },
    (_key, value) => (isEmpty(value) ? undefined : value),
    { lineWidth: 0, aliasDuplicateObjects: false },
  );
  const starts = lineStarts(text);
  const lines: Record<string, [number, number]> = {};
  const document = parseDocument(text);
  for (const list of ['initContainers', 'containers'] as const) {
    for (const [index, container] of spec[list].entries()) {
      const node = document.getIn(['spec', list, index], true) as
        | { range?: readonly number[] | null }
        | undefined;
      const [from, to] = node?.range ?? [];
      if (from === undefined || to === undefined) continue;
      lines[container.name] = [lineAt(starts, from), lineAt(starts, Math.max(from, to - 1))];
    }
  }
  return { text, lines };
}

function maskAll({ initContainers, containers }: PodSpec) {
  const mask = (container: ContainerSpec) => ({
    ...container,
    env: container.env.map((one) =>
      one.value !== undefined && SENSITIVE.test(one.name) ? { ...one, value: MASK } : one,
    ),
  });
  return { initContainers: initContainers.map(mask), containers: containers.map(mask) };
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}

function lineAt(starts: readonly number[], offset: number): number {
  const after = starts.findIndex((start) => start > offset);
  return (after === -1 ? starts.length : after) - 1;
}
