import { request } from 'node:http';
import { isRunning, runsOf } from '../commands/logged-runs.ts';
import { allStatuses } from '../commands/summary.ts';
import { Engine } from '../engine/engine.ts';
import type { PodFolder } from '../store/folder.ts';
import type { PodStore } from '../store/store.ts';
import { followLog } from './follow-log.ts';
import { mergeSamples, parseMetrics } from './metrics.ts';
import type { LogLine, PodsMessage, PodView, Sample } from './model.ts';
import { podView } from './pod-view.ts';
import type { PodSource } from './source.ts';

/** How often the store is checked, in milliseconds; unchanged files cost one stat(2) each. */
const INTERVAL = 200;
/** The most that is read of a sidecar's metrics, in bytes, and how long it may take, in milliseconds. */
const METRICS_LIMIT = 1024 * 1024;
const METRICS_TIMEOUT = 1000;

/** The Pods of this machine's runner. */
export class LocalSource implements PodSource {
  readonly #store: PodStore;
  readonly #names: ReadonlySet<string>;
  readonly #folders = new Map<string, PodFolder>();
  readonly #seen = new Map<string, { status: unknown; events: number }>();
  readonly #engines = new Map<string, Engine>();

  /** @param names the Pods to show; all if there are none. */
  constructor(store: PodStore, names: readonly string[]) {
    this.#store = store;
    this.#names = new Set(names);
  }

  watch(onChange: (message: PodsMessage) => void): () => void {
    this.#seen.clear();
    const check = () => {
      const message = this.#changes();
      if (message.changed.length > 0 || message.removed.length > 0) onChange(message);
    };
    onChange(this.#changes());
    const timer = setInterval(check, INTERVAL);
    return () => clearInterval(timer);
  }

  #changes(): PodsMessage {
    const changed: PodView[] = [];
    const present = new Set<string>();
    for (const { name } of this.#store.pods) {
      if (this.#names.size > 0 && !this.#names.has(name)) continue;
      present.add(name);
      const view = this.#changedView(name);
      if (view) changed.push(view);
    }
    const removed = [...this.#seen.keys()].filter((name) => !present.has(name));
    for (const name of removed) {
      this.#seen.delete(name);
      this.#folders.delete(name);
    }
    return { changed, removed };
  }

  #changedView(name: string): PodView | undefined {
    const folder = this.#folder(name);
    try {
      const { status, timeline } = folder;
      const seen = this.#seen.get(name);
      if (!status || (seen?.status === status && seen.events === timeline.length)) return undefined;
      this.#seen.set(name, { status, events: timeline.length });
      const services = folder.record.services.map(({ name: service, ports }) => ({
        name: service,
        ports: ports.map(({ port, target, host }) => ({ port, target, host })),
      }));
      return podView(status, timeline, services);
    } catch {
      // It was removed meanwhile; the next check sees that.
      return undefined;
    }
  }

  #folder(name: string): PodFolder {
    const folder = this.#folders.get(name) ?? this.#store.pod(name);
    this.#folders.set(name, folder);
    return folder;
  }

  followLogs(pod: string, onLine: (line: LogLine) => void): () => void {
    const folder = this.#folder(pod);
    const stop = new AbortController();
    const followed = new Set<string>();
    const check = () => {
      if (!folder.exists) return;
      const engine = this.#engine(folder);
      for (const { name, id } of runsOf(folder, undefined)) {
        if (followed.has(id)) continue;
        followed.add(id);
        const run = { id, running: () => isRunning(folder, id, engine), signal: stop.signal };
        followLog(engine, run, (line) => onLine({ container: name, ...line }));
      }
    };
    check();
    const timer = setInterval(check, INTERVAL);
    return () => {
      clearInterval(timer);
      stop.abort();
    };
  }

  async sample(pod: string): Promise<readonly Sample[]> {
    const folder = this.#folder(pod);
    const ip = folder.status?.status.podIP;
    if (!ip) return [];
    const { initContainers, containers } = folder.record.pod.spec;
    const admin = [...initContainers, ...containers].flatMap(({ name, ports }) =>
      ports
        .filter(({ name: port }) => port?.startsWith('admin'))
        .map(({ containerPort }) => ({ name, containerPort })),
    );
    const [measured, used] = await Promise.all([
      Promise.all(
        admin.map(async ({ name, containerPort }) => ({
          container: name,
          values: parseMetrics(await readMetrics(ip, containerPort).catch(() => '')),
        })),
      ),
      this.#used(folder),
    ]);
    // The engine counts all processes of a container, which its limits are for.
    return mergeSamples([...measured, ...used]);
  }

  /** The CPU and memory of every container that runs. */
  async #used(folder: PodFolder): Promise<Sample[]> {
    const engine = this.#engine(folder);
    const running = folder.status ? allStatuses(folder.status) : [];
    const samples = running
      .filter(({ state }) => state.running)
      .map(async ({ name, containerID }): Promise<Sample[]> => {
        const id = containerID.replace(/^\w+:\/\//, '');
        const stats = await engine.stats(id).catch(() => undefined);
        return stats ? [{ container: name, values: { ...stats } }] : [];
      });
    return (await Promise.all(samples)).flat();
  }

  #engine(folder: PodFolder): Engine {
    const { engine } = folder.record;
    const known = this.#engines.get(engine.socket) ?? new Engine(engine);
    this.#engines.set(engine.socket, known);
    return known;
  }

  close(): void {
    this.#folders.clear();
  }
}

function readMetrics(host: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(METRICS_TIMEOUT);
    const outgoing = request({ host, port, path: '/metrics', agent: false, signal }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk) => {
        text += chunk;
        if (text.length > METRICS_LIMIT) response.destroy(new Error('too long'));
      });
      response.once('end', () => resolve(text));
      response.once('error', reject);
    });
    outgoing.once('error', reject);
    outgoing.end();
  });
}
