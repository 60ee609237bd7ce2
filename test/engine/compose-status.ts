import type { ContainerStatus, PodStatus } from './engine.ts';

/** The part of a manifest's Pod that is read. */
export interface PodManifest {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly restartPolicy?: string;
    readonly initContainers?: readonly { readonly name: string; readonly restartPolicy?: string }[];
    readonly containers: readonly { readonly name: string }[];
    readonly volumes?: readonly { readonly name: string; readonly configMap?: { name: string } }[];
  };
}

/** A container of compose, as `docker inspect` shows it. */
export interface ComposeContainer {
  readonly id: string;
  readonly restarts: number;
  readonly state: {
    readonly Status: string;
    readonly ExitCode: number;
    readonly Health?: { readonly Status: string };
  };
  readonly networks: Readonly<Record<string, { readonly IPAddress: string }>>;
}

/** The status that a kubelet would show of a Pod whose containers are those of compose. */
export function podStatus(
  { metadata: { name }, spec }: PodManifest,
  containers: ReadonlyMap<string, ComposeContainer>,
): PodStatus {
  const status = (container: string, init = false) =>
    containerStatus(container, containers.get(`${name}-${container}`), init);
  const containerStatuses = spec.containers.map((one) => status(one.name));
  const initContainerStatuses = (spec.initContainers ?? []).map((one) =>
    status(one.name, one.restartPolicy !== 'Always'),
  );
  const ended = containerStatuses.map(({ state }) => state.terminated);
  const failed = ended.some((end) => end?.exitCode !== 0);
  const { restartPolicy = 'Always' } = spec;
  const final = restartPolicy === 'Never' || (restartPolicy === 'OnFailure' && !failed);
  const done = final && ended.every((end) => end !== undefined);
  const ready = [...containerStatuses, ...initContainerStatuses].every((one) => one.ready);
  const networks = Object.values(containers.get(name)?.networks ?? {});
  return {
    metadata: { name },
    status: {
      phase: done ? (failed ? 'Failed' : 'Succeeded') : ready ? 'Running' : 'Pending',
      conditions: [{ type: 'Ready', status: ready && !done ? 'True' : 'False' }],
      containerStatuses,
      initContainerStatuses,
      ...(networks[0] ? { podIP: networks[0].IPAddress } : {}),
    },
  };
}

function containerStatus(
  name: string,
  container: ComposeContainer | undefined,
  init: boolean,
): ContainerStatus {
  const {
    Status: status = 'created',
    ExitCode: exitCode = 0,
    Health: health,
  } = container?.state ?? {};
  const restartCount = container?.restarts ?? 0;
  if (status === 'exited') {
    const reason = exitCode === 0 ? 'Completed' : 'Error';
    return {
      name,
      restartCount,
      // An init container is ready when it has done its work.
      ready: init && exitCode === 0,
      state: { terminated: { exitCode, reason } },
      lastState: {},
    };
  }
  if (status !== 'running') {
    return {
      name,
      restartCount,
      ready: false,
      state: { waiting: { reason: 'ContainerCreating' } },
      lastState: {},
    };
  }
  const ready = !init && (health === undefined || health.Status === 'healthy');
  return { name, restartCount, ready, state: { running: {} }, lastState: {} };
}
