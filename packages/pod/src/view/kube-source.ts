import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { childEnvironment, ExpectedError } from '@sidekit/core/tool';
import type { PodStatusObject } from '../lifecycle/status.ts';
import { splitDocuments } from './json-stream.ts';
import { KubeEvents } from './kube-events.ts';
import { followLog } from './log-process.ts';
import { parseMetrics } from './metrics.ts';
import type { LogLine, PodsMessage, Sample } from './model.ts';
import { podView } from './pod-view.ts';
import type { PodSource } from './source.ts';

/** The pause before a watch that ended is started again, in milliseconds. */
const RETRY = 1000;
const METRICS_TIMEOUT = '2s';
const METRICS_LIMIT = 1024 * 1024;

interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: PodStatusObject & { readonly kind: string };
}

/**
 * The Pods of the current kubectl context and its namespace. Everything goes through kubectl's
 * own processes, so that no port of this machine carries the user's rights.
 */
export class KubeSource implements PodSource {
  readonly #names: ReadonlySet<string>;
  readonly #events = new Map<string, KubeEvents>();
  readonly #pods = new Map<string, PodStatusObject>();
  readonly #listeners = new Set<(message: PodsMessage) => void>();
  #child: ChildProcess | undefined;
  #closed = false;

  /** @param names the Pods to show; all of the namespace if there are none. */
  constructor(names: readonly string[]) {
    this.#names = new Set(names);
  }

  watch(onChange: (message: PodsMessage) => void): () => void {
    this.#listeners.add(onChange);
    if (!this.#child) this.#start();
    onChange({ changed: [...this.#pods.values()].map((pod) => this.#view(pod)), removed: [] });
    return () => this.#listeners.delete(onChange);
  }

  #start() {
    const args = ['get', 'pods', '--watch', '--output-watch-events', '-o', 'json'];
    const child = spawn('kubectl', args, {
      env: childEnvironment({}),
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    this.#child = child;
    child.stdout.setEncoding('utf8').on(
      'data',
      splitDocuments((text) => this.#onEvent(JSON.parse(text))),
    );
    const again = () => {
      if (this.#child !== child || this.#closed) return;
      setTimeout(() => this.#closed || this.#start(), RETRY);
    };
    child.once('error', again);
    child.once('close', again);
  }

  #onEvent({ type, object }: WatchEvent) {
    const { name } = object.metadata;
    if (object.kind !== 'Pod' || (this.#names.size > 0 && !this.#names.has(name))) return;
    if (type === 'DELETED') {
      this.#pods.delete(name);
      this.#events.delete(name);
      return this.#tell({ changed: [], removed: [name] });
    }
    const pod = withDefaults(object);
    const known = this.#events.get(name);
    const events = known?.uid === pod.metadata.uid ? known : new KubeEvents(pod.metadata.uid);
    this.#events.set(name, events);
    events.observe(pod, new Date());
    this.#pods.set(name, pod);
    this.#tell({ changed: [this.#view(pod)], removed: [] });
  }

  #view(pod: PodStatusObject) {
    return podView(pod, this.#events.get(pod.metadata.name)?.recorded ?? [], []);
  }

  #tell(message: PodsMessage) {
    for (const listener of this.#listeners) listener(message);
  }

  followLogs(pod: string, onLine: (line: LogLine) => void): () => void {
    const stops = (this.#pods.get(pod)?.spec ? containersOf(this.#pods.get(pod)) : []).map(
      (container) => {
        const args = ['logs', pod, '-c', container, '-f', '--timestamps', '--tail', '1000'];
        return followLog({ command: 'kubectl', args, environment: {} }, (line) =>
          onLine({ container, ...line }),
        );
      },
    );
    return () => {
      for (const stop of stops) stop();
    };
  }

  async sample(pod: string): Promise<readonly Sample[]> {
    const found = this.#pods.get(pod);
    if (!found) return [];
    const { namespace } = found.metadata;
    const ports = [...found.spec.initContainers, ...found.spec.containers].flatMap(
      ({ name, ports: all }) =>
        all
          .filter(({ name: port }) => port?.startsWith('admin'))
          .map(({ containerPort }) => ({ container: name, containerPort })),
    );
    return Promise.all(
      ports.map(async ({ container, containerPort }) => {
        const path = `/api/v1/namespaces/${namespace}/pods/${pod}:${containerPort}/proxy/metrics`;
        const text = await kubectl(['get', '--raw', path, `--request-timeout=${METRICS_TIMEOUT}`]);
        return { container, values: parseMetrics(text) };
      }),
    );
  }

  close(): void {
    this.#closed = true;
    this.#child?.kill();
  }
}

function containersOf(pod: PodStatusObject | undefined): string[] {
  const { initContainers = [], containers = [] } = pod?.spec ?? {};
  return [...initContainers, ...containers].map(({ name }) => name);
}

/** Fills in the lists that an API server leaves out when they are empty. */
function withDefaults(pod: PodStatusObject): PodStatusObject {
  const fill = (list: readonly object[] | undefined) =>
    (list ?? []).map((one) => {
      const { resources = {} } = one as { resources?: object };
      const filled = { ports: [], env: [], volumeMounts: [], ...one };
      return { ...filled, resources: { requests: {}, limits: {}, ...resources } };
    });
  const { spec, status } = pod;
  return {
    ...pod,
    spec: {
      ...spec,
      volumes: spec.volumes ?? [],
      initContainers: fill(spec.initContainers),
      containers: fill(spec.containers),
    },
    status: {
      ...status,
      conditions: status.conditions ?? [],
      initContainerStatuses: status.initContainerStatuses ?? [],
      containerStatuses: status.containerStatuses ?? [],
    },
  } as unknown as PodStatusObject;
}

function kubectl(args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { env: childEnvironment({}), maxBuffer: METRICS_LIMIT };
    execFile('kubectl', [...args], options, (error, stdout) => {
      if (error) reject(new ExpectedError(`kubectl ${args[0]} failed: ${error.message}`));
      else resolve(stdout);
    });
  });
}
