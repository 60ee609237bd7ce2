import { ExpectedError } from '@sidekit/core/tool';
import type { PodStatusObject } from '../../lifecycle/status.ts';
import { mergeSamples } from '../metrics.ts';
import type { LogLine, PodsMessage, Sample } from '../model.ts';
import { podView } from '../pod-view.ts';
import type { PodSource } from '../source.ts';
import { KubeApi, KubeError } from './api.ts';
import { mountedConfigMaps } from './config-maps.ts';
import { type Listed, type ListWatch, listAndWatch } from './list-watch.ts';
import { followContainer } from './logs.ts';
import { PodHistory } from './pod-history.ts';
import type { EventObject } from './reported-events.ts';
import { type ServiceObject, servicesOf } from './services.ts';
import { measured, used } from './usage.ts';
import { withDefaults } from './with-defaults.ts';

/**
 * The Pods of one namespace of a cluster, with their Services, the events that the kubelet reports, and the
 * changes of the ConfigMaps that they mount. What the user may not read is left out, but for the Pods.
 */
export class KubeSource implements PodSource {
  readonly #api = new KubeApi();
  readonly #namespace: string;
  readonly #names: ReadonlySet<string>;
  readonly #pods = new Map<string, PodStatusObject>();
  readonly #histories = new Map<string, PodHistory>();
  /** Events of Pods that are not known yet, by the Pod's UID. */
  #events: readonly EventObject[] = [];
  #services: ReadonlyMap<string, ServiceObject> = new Map();
  readonly #listeners = new Set<(message: PodsMessage) => void>();
  readonly #ending = new AbortController();
  #problem: string | undefined;

  /** @param names the Pods to show; all of the namespace if there are none. */
  constructor(namespace: string, names: readonly string[]) {
    this.#namespace = namespace;
    this.#names = new Set(names);
  }

  /** Begins to follow the namespace. @throws {ExpectedError} if its Pods cannot be read. */
  async start(): Promise<void> {
    try {
      await this.#api.read(`${this.#path('pods')}?limit=1`);
    } catch (error) {
      this.close();
      if (!(error instanceof KubeError)) throw error;
      throw new ExpectedError(`the Pods of ${this.#namespace} cannot be read: ${error.message}`);
    }
    this.#follow<PodStatusObject>('pods', {
      onList: (pods) => this.#replace(pods),
      onEvent: (type, pod) => (type === 'DELETED' ? this.#remove(pod) : this.#set(pod)),
      onProblem: (problem) => {
        this.#problem = problem && `the cluster does not answer: ${problem}`;
        this.#tell([]);
      },
    });
    this.#follow<EventObject>('events', {
      fields: 'involvedObject.kind=Pod',
      onList: (events) => {
        this.#events = events;
        this.#report(events);
      },
      onEvent: (type, event) => type !== 'DELETED' && this.#report([event]),
    });
    this.#follow<ServiceObject>('services', {
      onList: (services) => this.#serve(services),
      onEvent: (type, service) => {
        const others = [...this.#services.values()].filter(
          ({ metadata }) => metadata.name !== service.metadata.name,
        );
        this.#serve(type === 'DELETED' ? others : [...others, service]);
      },
    });
    this.#follow<Listed>('configmaps', {
      metadataOnly: true,
      onList: () => {},
      onEvent: (type, { metadata }) => type === 'MODIFIED' && this.#changed(metadata.name),
    });
  }

  #follow<T extends Listed>(resource: string, how: Omit<ListWatch<T>, 'path' | 'signal'>) {
    const { signal } = this.#ending;
    void listAndWatch<T>(this.#api, { path: this.#path(resource), signal, ...how });
  }

  #path(resource: string): string {
    return `/api/v1/namespaces/${this.#namespace}/${resource}`;
  }

  watch(onChange: (message: PodsMessage) => void): () => void {
    this.#listeners.add(onChange);
    onChange(this.#message([...this.#pods.keys()]));
    return () => this.#listeners.delete(onChange);
  }

  #replace(pods: readonly PodStatusObject[]) {
    const present = new Set(pods.map(({ metadata }) => metadata.name));
    const gone = [...this.#pods.values()].filter(({ metadata }) => !present.has(metadata.name));
    for (const pod of gone) this.#remove(pod);
    for (const pod of pods) this.#set(pod);
  }

  #remove({ metadata: { name } }: PodStatusObject) {
    if (!this.#pods.delete(name)) return;
    this.#histories.delete(name);
    this.#tell([], [name]);
  }

  #set(object: PodStatusObject) {
    const { name, uid } = object.metadata;
    if (this.#names.size > 0 && !this.#names.has(name)) return;
    const pod = withDefaults(object);
    let history = this.#histories.get(name);
    if (history?.uid !== uid) {
      history = new PodHistory(uid);
      this.#histories.set(name, history);
      for (const event of this.#events) if (isAbout(event, uid)) history.report(event);
    }
    history.observe(pod, new Date());
    this.#pods.set(name, pod);
    this.#tell([name]);
  }

  #report(events: readonly EventObject[]) {
    const changed = [...this.#histories].filter(
      ([, history]) =>
        events.filter((event) => isAbout(event, history.uid) && history.report(event)).length > 0,
    );
    this.#tell(changed.map(([name]) => name));
  }

  #serve(services: readonly ServiceObject[]) {
    this.#services = new Map(services.map((one) => [one.metadata.name, one]));
    this.#tell([...this.#pods.keys()]);
  }

  #changed(configMap: string) {
    const mounting = [...this.#pods.values()].filter(({ spec }) =>
      mountedConfigMaps(spec).has(configMap),
    );
    const names = mounting.map(({ metadata }) => metadata.name);
    const message = `ConfigMap ${configMap} was changed: its volumes follow within a minute or two`;
    for (const name of names) {
      this.#histories.get(name)?.note(new Date(), 'Updated', undefined, message);
    }
    this.#tell(names);
  }

  #tell(names: readonly string[], removed: readonly string[] = []) {
    const message = this.#message(names, removed);
    for (const listener of this.#listeners) listener(message);
  }

  #message(names: readonly string[], removed: readonly string[] = []): PodsMessage {
    const changed = names.flatMap((name) => {
      const pod = this.#pods.get(name);
      const events = this.#histories.get(name)?.recorded ?? [];
      return pod ? podView(pod, events, servicesOf(pod, this.#services.values())) : [];
    });
    return { changed, removed, problem: this.#problem };
  }

  followLogs(name: string, onLine: (line: LogLine) => void): () => void {
    const stops = new Map<string, () => void>();
    const check = () => {
      const { initContainerStatuses = [], containerStatuses = [] } =
        this.#pods.get(name)?.status ?? {};
      for (const { name: container, containerID, state } of [
        ...initContainerStatuses,
        ...containerStatuses,
      ]) {
        // Each run has a log of its own.
        if (!containerID || state.waiting || stops.has(containerID)) continue;
        const pod = `${this.#path('pods')}/${name}`;
        stops.set(containerID, followContainer(this.#api, { pod, container }, onLine));
      }
    };
    check();
    this.#listeners.add(check);
    return () => {
      this.#listeners.delete(check);
      for (const stop of stops.values()) stop();
    };
  }

  async sample(name: string): Promise<readonly Sample[]> {
    const pod = this.#pods.get(name);
    if (!pod?.status.podIP) return [];
    const [own, counted] = await Promise.all([
      measured(this.#api, `${this.#path('pods')}/${name}`, pod),
      used(this.#api, pod),
    ]);
    return mergeSamples([...own, ...counted]);
  }

  close(): void {
    this.#ending.abort();
    this.#api.close();
  }
}

function isAbout({ involvedObject }: EventObject, uid: string): boolean {
  return involvedObject.uid === uid;
}
