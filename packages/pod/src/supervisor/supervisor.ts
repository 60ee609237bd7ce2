import type { Server } from 'node:net';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { errorText, LONGEST_TIMER, PollingWatch, pause, silentLog } from '@sidekit/core/tool';
import { Engine } from '../engine/engine.ts';
import { podLabels } from '../engine/labels.ts';
import { PodMachine } from '../lifecycle/machine.ts';
import { type PodStatusObject, statusOf } from '../lifecycle/status.ts';
import type { PodAction, PodEvent } from '../lifecycle/types.ts';
import type { ContainerSpec } from '../manifest/types.ts';
import type { PodFolder } from '../store/folder.ts';
import { decodeData, type PodRecord } from '../store/record.ts';
import { EngineVolumes } from '../volumes/engine-volumes.ts';
import type { PodData } from '../volumes/files.ts';
import { PodVolumes } from '../volumes/pod-volumes.ts';
import type { Volumes } from '../volumes/volumes.ts';
import { ContainerActions, type PodNow } from './container-actions.ts';
import { serveControl } from './control.ts';
import { Endpoints, writeHosts } from './endpoints.ts';
import { forwardPorts, ServiceForwarder } from './forwarder.ts';
import { Launcher } from './launcher.ts';
import { keepTrying } from './mounting.ts';
import { PodReport } from './pod-report.ts';
import { Runs } from './runs.ts';
import { type Sandbox, startSandbox } from './sandbox.ts';
import { LocalStorage } from './storage.ts';
import { ownsVolumes } from './volume-owner.ts';

/** How often the sizes of emptyDirs are checked, as by the kubelet's eviction manager. */
const HOUSEKEEPING = 10_000;
/** How often to check for exits that no event reported. */
const SWEEP = 60_000;
/** The first and the longest pause before a lost sandbox is created again, in milliseconds. */
const SANDBOX_RETRY = 500;
const SANDBOX_RETRY_CAP = 30_000;

/**
 * Runs one Pod from its start to its end: carries out the actions of the state machine and
 * reports events to it. The Pod's folder always holds its status and timeline.
 */
export class Supervisor {
  readonly #folder: PodFolder;
  readonly #engine: Engine;
  readonly #machine: PodMachine;
  readonly #runs: Runs;
  readonly #launcher: Launcher;
  readonly #volumes: Volumes;
  readonly #storage: LocalStorage;
  readonly #report: PodReport;
  readonly #actions: ContainerActions;
  #publishing = new AbortController();
  readonly #endpoints: Endpoints;
  readonly #forwarder: ServiceForwarder;
  readonly #ended = Promise.withResolvers<void>();
  #record: PodRecord;
  #data: PodData;
  #sandbox: Sandbox | undefined;
  #timer: NodeJS.Timeout | undefined;
  #sandboxAttempt = 0;
  #status: PodStatusObject | undefined;
  #findable = false;

  constructor(folder: PodFolder, endpoints: string) {
    this.#folder = folder;
    this.#record = folder.record;
    this.#data = dataOf(this.#record);
    const { engine, volumes, pod, services, backoffBase } = this.#record;
    this.#engine = new Engine(engine);
    this.#runs = new Runs(this.#engine, join(volumes, '.termination-messages'));
    this.#volumes = ownsVolumes(engine)
      ? new PodVolumes(volumes, pod)
      : new EngineVolumes(this.#engine, this.#record);
    this.#storage = new LocalStorage(this.#engine, pod.spec, this.#volumes);
    this.#report = new PodReport(folder, () => this.#publishStatus());
    this.#launcher = new Launcher(this.#engine, this.#volumes, (container, image) =>
      this.#report.note({ reason: 'Pulling', container, message: `Pulling image "${image}"` }),
    );
    this.#actions = new ContainerActions({
      engine: this.#engine,
      launcher: this.#launcher,
      runs: this.#runs,
      report: this.#report,
      now: () => this.#now,
      spec: (container) => this.#spec(container),
      dispatch: (event) => this.#dispatch(event),
    });
    this.#endpoints = new Endpoints(endpoints);
    this.#forwarder = new ServiceForwarder(services, this.#endpoints);
    // With Never, the Pods that have failed count, and not their sidecars' restarts.
    const backoffLimit = pod.spec.restartPolicy === 'OnFailure' ? pod.job?.backoffLimit : undefined;
    this.#machine = new PodMachine({ spec: pod.spec, backoffBase, backoffLimit });
  }

  /** Runs the Pod to its end. Never rejects: a Pod whose sandbox cannot be created has failed. */
  async run(): Promise<void> {
    this.#report.write(() => {
      this.#folder.pid = process.pid;
    });
    this.#publishStatus();
    let control: Server | undefined;
    const closers: (() => unknown)[] = [];
    try {
      control = await serveControl(this.#folder.socket, (request) => {
        if (request.type === 'terminate') this.#dispatch(request);
        else this.#update();
      });
      if (!(await this.#makeVolumes())) return await this.#ended.promise;
      const since = new Date();
      await Promise.all([this.#startSandbox(), this.#launcher.knowImages(this.#record.pod.spec)]);
      // Starts from `since`; started earlier, it would only slow down the sandbox.
      closers.push(
        this.#engine.followExits(podLabels(this.#record).own, since, (exit) =>
          this.#actions.exited(exit),
        ),
      );
      closers.push(this.#watchEndpoints(), this.#keepHouse(), await this.#forward());
      this.#dispatch({ type: 'begin' });
      await this.#ended.promise;
    } catch (error) {
      this.#dispatch({ type: 'fail', reason: 'FailedCreatePodSandBox', message: errorText(error) });
    } finally {
      clearTimeout(this.#timer);
      this.#report.close();
      this.#publishing.abort();
      for (const close of closers) close();
      this.#forwarder.close();
      this.#setFindable(false);
      // Its containers stay for their logs until `down`; only the sandbox goes.
      if (this.#sandbox) await this.#engine.signal(this.#sandbox.id, 'SIGKILL').catch(() => {});
      control?.close();
    }
  }

  /** Terminates the Pod with its own grace period. */
  terminate(): void {
    this.#dispatch({ type: 'terminate' });
  }

  async #startSandbox(attempt = 0) {
    const { pod } = this.#record;
    const labels = podLabels(this.#record).all;
    this.#sandbox = await startSandbox(this.#engine, this.#record, labels, this.#volumes, attempt);
    this.#publishVolumes();
    writeHosts(this.#hosts, pod, this.#sandbox.podIP, this.#endpoints);
  }

  /** Creates a new sandbox after the old one was lost, and retries until it is there. */
  async #renewSandbox() {
    this.#sandboxAttempt++;
    for (let wait = SANDBOX_RETRY; ; wait = Math.min(wait * 2, SANDBOX_RETRY_CAP)) {
      if (this.#machine.ending) return;
      try {
        await this.#startSandbox(this.#sandboxAttempt);
        return this.#dispatch({ type: 'begin' });
      } catch (error) {
        const message = errorText(error);
        this.#report.note({ reason: 'FailedCreatePodSandBox', message });
        await pause(wait);
        this.#sandboxAttempt++;
      }
    }
  }

  get #podIP(): string {
    return this.#sandbox?.podIP ?? '';
  }

  get #hosts(): string {
    return join(this.#record.volumes, '.hosts');
  }

  get #now(): PodNow {
    return {
      record: this.#record,
      data: this.#data,
      sandbox: this.#sandbox,
      hosts: this.#hosts,
    };
  }

  get #context() {
    return { pod: this.#record.pod, uid: this.#record.uid, podIP: this.#podIP };
  }

  /** Keeps /etc/hosts and the Services' ports up to date with the Pods that get their traffic. */
  #watchEndpoints(): () => void {
    const watch = new PollingWatch({
      directories: [this.#endpoints.directory],
      interval: 30_000,
      poll: async () => {
        writeHosts(this.#hosts, this.#record.pod, this.#podIP, this.#endpoints);
        await this.#forwarder.refresh();
      },
      log: silentLog,
    });
    return () => watch.close();
  }

  /** Publishes the Pod's ports, and records those that are others than `up` has chosen. */
  async #forward(): Promise<() => void> {
    const { forwards } = this.#record;
    const { ports, close } = await forwardPorts(forwards, (port) => this.#sandbox?.reach(port));
    if (!isDeepStrictEqual(ports, forwards)) {
      this.#record = { ...this.#record, forwards: ports };
      this.#report.write(() => {
        this.#folder.record = { ...this.#folder.record, forwards: ports };
      });
    }
    return close;
  }

  #keepHouse(): () => void {
    const sweep = setInterval(() => this.#sweep(), SWEEP);
    const size = this.#storage.limited
      ? setInterval(() => this.#checkSizes(), HOUSEKEEPING)
      : undefined;
    return () => {
      clearInterval(sweep);
      clearInterval(size);
    };
  }

  /** An engine that was restarted may have lost an event. */
  async #sweep() {
    for (const id of this.#runs.ids) {
      const info = await this.#engine.inspect(id).catch(() => undefined);
      if (info && !info.running) this.#actions.exited({ id, exitCode: info.exitCode });
    }
  }

  async #checkSizes() {
    // An engine that does not answer is asked again.
    const message = await this.#storage.exceeded(this.#runs.running).catch(() => undefined);
    if (message !== undefined) this.#dispatch({ type: 'evict', message });
  }

  /** @returns false if the Pod has ended before its volumes were there. */
  async #makeVolumes(): Promise<boolean> {
    const stop = new AbortController();
    this.#ended.promise.then(() => stop.abort());
    const setUp = async () => {
      await this.#volumes.make();
      this.#publishVolumes();
    };
    return keepTrying(setUp, {
      onFailure: (error) => this.#mountFailed(error),
      signal: stop.signal,
    });
  }

  #mountFailed(error: unknown) {
    this.#report.note({ reason: 'FailedMount', message: errorText(error) });
  }

  #dispatch(event: PodEvent) {
    for (const action of this.#machine.handle(event, Date.now())) this.#do(action);
    clearTimeout(this.#timer);
    const { deadline } = this.#machine;
    if (deadline !== undefined) {
      const wait = Math.min(Math.max(0, deadline - Date.now()), LONGEST_TIMER);
      this.#timer = setTimeout(() => this.#dispatch({ type: 'tick' }), wait);
    }
    this.#publishStatus();
  }

  #do(action: PodAction) {
    switch (action.type) {
      case 'note':
        return this.#report.note(action);
      case 'ended':
        return this.#ended.resolve();
      case 'sandbox':
        return void this.#renewSandbox();
      case 'start':
        return void this.#actions.start(action);
      case 'signal':
        return void this.#actions.signal(action);
      case 'hook':
      case 'probe':
        return void this.#actions.handle(action);
    }
  }

  #spec(name: string): ContainerSpec {
    const found = this.#machine.containers.find(({ spec }) => spec.name === name);
    if (!found) throw new Error(`no container ${name}`);
    return found.spec;
  }

  /** Applies new ConfigMaps and Secrets: to volumes at once, to the environment at the next start. */
  #update() {
    this.#record = this.#folder.record;
    this.#data = dataOf(this.#record);
    const { activeDeadlineSeconds } = this.#record.pod.spec;
    if (activeDeadlineSeconds !== undefined)
      this.#dispatch({ type: 'deadline', activeDeadlineSeconds });
    // A later update publishes what an earlier one could not.
    this.#publishing.abort();
    this.#publishing = new AbortController();
    const publish = () => {
      const changed = this.#publishVolumes();
      if (changed.length === 0) return;
      const message = `volumes were updated: ${changed.join(', ')}`;
      this.#report.note({ reason: 'Updated', message });
    };
    const { signal } = this.#publishing;
    const onFailure = (error: unknown) => this.#mountFailed(error);
    keepTrying(publish, { onFailure, signal }).catch(onFailure);
  }

  #publishVolumes(): string[] {
    return this.#volumes.publish(this.#context, this.#data);
  }

  #publishStatus() {
    const { pod, uid, createdAt } = this.#record;
    this.#status = statusOf(pod, this.#machine, {
      uid,
      createdAt,
      engine: this.#engine.name,
      podIP: this.#podIP,
      images: new Map([...this.#launcher.images].map(([name, { id }]) => [name, id])),
      before: this.#status,
      now: Date.now(),
    });
    const status = this.#status;
    this.#report.write(() => {
      this.#folder.status = status;
      this.#setFindable(!this.#machine.ended && this.#sandbox !== undefined);
    });
  }

  /** Only a Ready Pod that is not on its way to its end gets the traffic of its Services. */
  #setFindable(alive: boolean) {
    const ready = alive && this.#machine.ready && !this.#machine.ending;
    const { services, pod } = this.#record;
    const { name } = pod.metadata;
    if (ready === this.#findable && alive) return;
    this.#findable = ready;
    for (const service of services) {
      const found = ready || (alive && service.always);
      const ports = service.ports.map(({ target }) => [target, this.#sandbox?.reach(target)]);
      const endpoint = { pod: name, address: this.#podIP, fromHost: Object.fromEntries(ports) };
      this.#endpoints.set(service, name, found ? endpoint : undefined);
    }
  }
}

function dataOf(record: PodRecord): PodData {
  return { configMaps: decodeData(record.configMaps), secrets: decodeData(record.secrets) };
}
