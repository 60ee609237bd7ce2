import { closeSync, openSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:net';
import { ExpectedError, errorText, PollingWatch, silentLog } from '@sidekit/core';
import { type Died, Engine, type ImageInfo } from '../engine/engine.ts';
import { PAUSE_IMAGE } from '../engine/pause-image.ts';
import { runRequest } from '../engine/run-request.ts';
import { PodMachine } from '../lifecycle/machine.ts';
import { statusOf } from '../lifecycle/status.ts';
import type { PodAction, PodEvent } from '../lifecycle/types.ts';
import type { ContainerSpec } from '../manifest/types.ts';
import { serveControl } from './control.ts';
import { carryOut } from './handlers.ts';
import { setEndpoint, writeHosts } from './hosts.ts';
import { watchSizeLimits } from './size-limit.ts';
import { decodeData, type PodFolder, type PodRecord, podLabel } from './store.ts';
import { makeVolumes, publishVolumes, releaseVolumes } from './volumes.ts';

/**
 * Looks after one Pod from its start to its end: carries out what the state machine says, and
 * tells it what happened. The Pod's folder always holds its status and timeline.
 */
export class Supervisor {
  readonly #folder: PodFolder;
  readonly #endpoints: string;
  readonly #engine: Engine;
  readonly #machine: PodMachine;
  readonly #ended = Promise.withResolvers<void>();
  /** Deaths that were told before `run` had returned the container's id. */
  readonly #early = new Map<string, Died>();
  readonly #images = new Map<string, ImageInfo>();
  readonly #running = new Map<string, { readonly container: string; readonly attempt: number }>();
  #record: PodRecord;
  #timer: NodeJS.Timeout | undefined;
  #infra = '';
  #podIP = '';
  #findable = false;
  #evicted: string | undefined;

  constructor(folder: PodFolder, endpoints: string) {
    this.#folder = folder;
    this.#endpoints = endpoints;
    this.#record = folder.record;
    this.#engine = new Engine(this.#record.engine);
    const { backoffBase } = this.#record;
    this.#machine = new PodMachine({
      spec: this.#record.pod.spec,
      ...(backoffBase === undefined ? {} : { backoffBase }),
    });
  }

  /** Runs the Pod to its end. @throws {ExpectedError} where its sandbox cannot be made. */
  async run(): Promise<void> {
    const { pod } = this.#record;
    writeFileSync(this.#folder.file('pid'), String(process.pid));
    const control = await serveControl(this.#folder.file('control.sock'), (request) => {
      if (request.type === 'terminate') this.#tell(request);
      else this.#update();
    });
    let unfollow: (() => void) | undefined;
    let watch: PollingWatch | undefined;
    let unmeter: (() => void) | undefined;
    try {
      makeVolumes(this.#volumes, pod, decodeAll(this.#record));
      unfollow = this.#engine.followDeaths(podLabel(pod.metadata.name), new Date(), (died) =>
        this.#onDied(died),
      );
      await this.#startSandbox();
      watch = this.#watchEndpoints();
      unmeter = watchSizeLimits(this.#volumes, pod, (message) => this.#evict(message));
      this.#tell({ type: 'begin' });
      await this.#ended.promise;
    } catch (error) {
      this.#note({ type: 'note', reason: 'FailedCreatePodSandBox', message: errorText(error) });
      this.#fail();
      throw error;
    } finally {
      clearTimeout(this.#timer);
      unfollow?.();
      unmeter?.();
      await watch?.close();
      setEndpoint(this.#endpoints, this.#record.services, pod.metadata.name, undefined);
      // Only ended, not removed: the containers that used it are kept for their logs.
      if (this.#infra) await this.#engine.signal(this.#infra, 'SIGKILL').catch(() => {});
      releaseVolumes(this.#volumes, pod);
      await close(control);
    }
  }

  get #volumes(): string {
    return this.#folder.file('volumes');
  }

  get #hosts(): string {
    return this.#folder.file('hosts');
  }

  /** The container that owns the Pod's network, IPC and published ports. */
  async #startSandbox() {
    const { pod, publish } = this.#record;
    const { name } = pod.metadata;
    await this.#engine.ensurePauseImage();
    this.#infra = await this.#engine.run({
      name: `pod-${name}`,
      image: PAUSE_IMAGE,
      args: [],
      flags: [
        `--label=${podLabel(name)}`,
        `--hostname=${pod.spec.hostname ?? name}`,
        '--ipc=shareable',
        '--cap-drop=ALL',
        '--read-only',
        ...(pod.spec.securityContext?.sysctls ?? []).map(
          ({ name: key, value }) => `--sysctl=${key}=${value}`,
        ),
        ...publish.map(({ host, container }) => `--publish=127.0.0.1:${host || ''}:${container}`),
      ],
    });
    this.#podIP = await this.#engine.address(this.#infra);
    publishVolumes(this.#volumes, pod, decodeAll(this.#record), this.#podIP);
    writeHosts(this.#hosts, pod, this.#podIP, this.#endpoints);
  }

  /** Keeps /etc/hosts of the Pod up to date with the Ready Pods of Services. */
  #watchEndpoints(): PollingWatch {
    return new PollingWatch({
      directories: [this.#endpoints],
      interval: 1000,
      poll: () => writeHosts(this.#hosts, this.#record.pod, this.#podIP, this.#endpoints),
      log: silentLog,
    });
  }

  #tell(event: PodEvent) {
    for (const action of this.#machine.handle(event, Date.now())) this.#do(action);
    clearTimeout(this.#timer);
    const { deadline } = this.#machine;
    if (deadline !== undefined) {
      this.#timer = setTimeout(
        () => this.#tell({ type: 'tick' }),
        Math.max(0, deadline - Date.now()),
      );
    }
    this.#publishStatus();
  }

  #do(action: PodAction) {
    switch (action.type) {
      case 'note':
        return this.#note(action);
      case 'ended':
        return this.#ended.resolve();
      case 'start':
        return void this.#start(this.#spec(action.container), action.attempt);
      case 'signal':
        return void this.#signal(action);
      case 'hook':
      case 'probe':
        return void this.#handler(action);
    }
  }

  async #start(container: ContainerSpec, attempt: number) {
    const { name } = container;
    try {
      const problem = await this.#imageProblem(container);
      if (problem) return this.#tell({ type: 'startFailed', container: name, attempt, ...problem });
      const id = await this.#engine.run(
        runRequest({ ...this.#place, data: decodeAll(this.#record) }, container, attempt),
      );
      this.#running.set(id, { container: name, attempt });
      this.#tell({ type: 'started', container: name, attempt, id });
      const early = this.#early.get(id);
      if (early) this.#onDied(early);
    } catch (error) {
      // The runtime could not start its program: Kubernetes counts that as an exit with 128.
      this.#note({ type: 'note', reason: 'Failed', container: name, message: errorText(error) });
      this.#tell({ type: 'started', container: name, attempt, id: '' });
      this.#tell({ type: 'exited', container: name, attempt, exitCode: 128 });
    }
    this.#forgetOldRuns(name, attempt);
  }

  get #place() {
    return {
      engine: this.#engine.name,
      pod: this.#record.pod,
      infra: `pod-${this.#record.pod.metadata.name}`,
      podIP: this.#podIP,
      volumes: this.#volumes,
      hosts: this.#hosts,
      label: podLabel(this.#record.pod.metadata.name),
    };
  }

  /** Why a container cannot be started from its image, in the kubelet's words. */
  async #imageProblem({ image, imagePullPolicy, securityContext }: ContainerSpec) {
    const policy =
      imagePullPolicy ?? (/:(?!latest$)[^/]+$/.test(image) ? 'IfNotPresent' : 'Always');
    let info =
      policy === 'Always'
        ? undefined
        : (this.#images.get(image) ?? (await this.#engine.image(image)));
    if (!info && policy === 'Never') {
      return {
        reason: 'ErrImageNeverPull',
        message: `Container image "${image}" is not present with pull policy of Never`,
      };
    }
    if (!info) {
      try {
        await this.#engine.pull(image);
      } catch (error) {
        // Without a registry the local image is what there is.
        info = await this.#engine.image(image);
        if (!info) return { reason: 'ErrImagePull', message: errorText(error) };
      }
      info ??= await this.#engine.image(image);
    }
    if (info) this.#images.set(image, info);
    const shared = this.#record.pod.spec.securityContext;
    const user = securityContext?.runAsUser ?? shared?.runAsUser;
    if (!(securityContext?.runAsNonRoot ?? shared?.runAsNonRoot)) return undefined;
    const effective = user === undefined ? (info?.user.split(':')[0] ?? '') : String(user);
    if (/^[1-9]\d*$/.test(effective)) return undefined;
    const cause =
      effective === '' || effective === '0'
        ? 'image will run as root'
        : `image has non-numeric user (${effective}), cannot verify user is non-root`;
    return {
      reason: 'CreateContainerConfigError',
      message: `container has runAsNonRoot and ${cause}`,
    };
  }

  /** Of earlier runs only the last is kept, for its log. */
  #forgetOldRuns(container: string, attempt: number) {
    const name = `pod-${this.#record.pod.metadata.name}-${container}-${attempt - 2}`;
    if (attempt >= 2) this.#engine.remove([name]).catch(() => {});
  }

  async #signal({ container, attempt, signal }: Extract<PodAction, { type: 'signal' }>) {
    const id = this.#idOf(container, attempt);
    try {
      if (id) await this.#engine.signal(id, signal);
    } catch (error) {
      this.#note({ type: 'note', reason: 'FailedKill', container, message: errorText(error) });
    }
  }

  async #handler(action: Extract<PodAction, { type: 'hook' | 'probe' }>) {
    const { container, attempt, handler, timeout } = action;
    const target = {
      engine: this.#engine,
      container: this.#spec(container),
      id: this.#idOf(container, attempt) ?? '',
      podIP: this.#podIP,
    };
    const outcome = await carryOut(handler, target, timeout);
    if (action.type === 'hook')
      this.#tell({ type: 'hookDone', container, attempt, hook: action.hook, ...outcome });
    else this.#tell({ type: 'probed', container, attempt, probe: action.probe, ...outcome });
  }

  async #onDied(died: Died) {
    const run = this.#running.get(died.id);
    if (!run) {
      this.#early.set(died.id, died);
      return;
    }
    this.#early.delete(died.id);
    this.#running.delete(died.id);
    // Only a SIGKILL can be the kernel's for want of memory.
    const oomKilled = died.exitCode === 137 && (await this.#engine.wasKilledForMemory(died.id));
    this.#tell({ type: 'exited', ...run, exitCode: died.exitCode, oomKilled });
  }

  #idOf(container: string, attempt: number): string | undefined {
    for (const [id, run] of this.#running) {
      if (run.container === container && run.attempt === attempt) return id;
    }
    return undefined;
  }

  #spec(name: string): ContainerSpec {
    const found = this.#machine.containers.find(({ spec }) => spec.name === name);
    if (!found) throw new ExpectedError(`no container ${name}`);
    return found.spec;
  }

  #evict(message: string) {
    this.#evicted = message;
    this.#note({ type: 'note', reason: 'Evicted', message });
    this.#tell({ type: 'terminate', gracePeriodSeconds: 0 });
  }

  #update() {
    this.#record = this.#folder.record;
    publishVolumes(this.#volumes, this.#record.pod, decodeAll(this.#record), this.#podIP);
    this.#note({
      type: 'note',
      reason: 'Updated',
      message: 'ConfigMaps and Secrets were published anew',
    });
  }

  #note({ reason, container, message }: Extract<PodAction, { type: 'note' }>) {
    this.#folder.note({
      time: new Date().toISOString(),
      reason,
      ...(container ? { container } : {}),
      message,
    });
  }

  #publishStatus() {
    const { pod, services } = this.#record;
    const status = statusOf(pod, this.#machine, this.#podIP);
    this.#folder.status = this.#evicted
      ? { ...status, status: { ...status.status, phase: 'Failed', reason: 'Evicted' } }
      : status;
    const findable = this.#machine.ready && !this.#machine.ending;
    if (findable === this.#findable) return;
    this.#findable = findable;
    setEndpoint(this.#endpoints, services, pod.metadata.name, findable ? this.#podIP : undefined);
  }

  /** The Pod could not begin: it is shown as failed. */
  #fail() {
    const status = statusOf(this.#record.pod, this.#machine, this.#podIP);
    this.#folder.status = {
      ...status,
      status: { ...status.status, phase: 'Failed', reason: 'FailedCreatePodSandBox' },
    };
  }
}

function decodeAll(record: PodRecord) {
  return { configMaps: decodeData(record.configMaps), secrets: decodeData(record.secrets) };
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

/** Where a detached supervisor's own output goes. */
export function openLog(folder: PodFolder): { fd: number; close(): void } {
  const fd = openSync(folder.file('supervisor.log'), 'a', 0o600);
  return { fd, close: () => closeSync(fd) };
}
