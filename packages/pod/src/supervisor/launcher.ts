import { errorText } from '@sidekit/core/tool';
import type { Mount } from '../engine/container-config.ts';
import type { Engine, ImageInfo } from '../engine/engine.ts';
import { environmentOf } from '../engine/environment.ts';
import { ATTEMPT_LABEL, CONTAINER_LABEL, podLabels } from '../engine/labels.ts';
import { type PodPlace, podContainer } from '../engine/pod-container.ts';
import type { Run } from '../lifecycle/types.ts';
import type { ContainerSpec, PodSpec } from '../manifest/types.ts';
import type { PodRecord } from '../store/record.ts';
import type { PodData } from '../volumes/files.ts';
import { expandSubPaths } from '../volumes/sub-path.ts';
import type { Volumes } from '../volumes/volumes.ts';
import { findImage, type StartProblem, userProblem } from './images.ts';

/** The state of the Pod when a container is started. */
export interface Surroundings {
  readonly record: PodRecord;
  readonly data: PodData;
  readonly podIP: string;
  readonly sandbox: PodPlace['sandbox'];
  /** Mounts that every container has: /etc/hosts, and the file of its termination message. */
  readonly mounts: readonly Mount[];
}

/** Starts containers of one Pod: their images, environment and mounts. */
export class Launcher {
  readonly #engine: Engine;
  readonly #volumes: Volumes;
  readonly #onPull: (container: string, image: string) => void;
  readonly #images = new Map<string, ImageInfo>();

  constructor(
    engine: Engine,
    volumes: Volumes,
    onPull: (container: string, image: string) => void,
  ) {
    this.#engine = engine;
    this.#volumes = volumes;
    this.#onPull = onPull;
  }

  /** The images found so far, by reference. */
  get images(): ReadonlyMap<string, ImageInfo> {
    return this.#images;
  }

  /** Inspects a Pod's images ahead of time: while its sandbox starts, this costs nothing. */
  async knowImages({ initContainers, containers }: PodSpec): Promise<void> {
    const all = new Set([...initContainers, ...containers].map(({ image }) => image));
    await Promise.all(
      [...all].map(async (image) => {
        const found = await this.#engine.image(image);
        if (found) this.#images.set(image, found);
      }),
    );
  }

  /**
   * Starts a run of a container.
   * @returns the engine's id, or why it cannot be created; that is retried later.
   * @throws {ExpectedError} if its program could not be started.
   */
  async start(
    run: Run,
    spec: ContainerSpec,
    { record, data, podIP, sandbox, mounts }: Surroundings,
  ): Promise<string | StartProblem> {
    const { pod, uid, serviceVariables } = record;
    const image = await this.#image(spec, pod.spec);
    if ('reason' in image) return image;
    const links = pod.spec.enableServiceLinks ? Object.entries(serviceVariables) : [];
    const environment = environmentOf(spec, { pod, uid, podIP }, data, new Map(links));
    const own = this.#mounts(spec, environment);
    if ('reason' in own) return own;
    const place = {
      engine: this.#engine.name,
      pod,
      sandbox,
      labels: podLabels(record).all,
    };
    const config = podContainer(place, spec, {
      attempt: run.attempt,
      image,
      environment,
      mounts: [...own, ...mounts],
    });
    try {
      return await this.#engine.run(config);
    } catch (error) {
      // The image may have been removed: the next start checks again.
      this.#images.delete(spec.image);
      throw error;
    }
  }

  /** A mount that fails is retried (kubelet: "failed to prepare subPath for volumeMount"). */
  #mounts(
    { name, volumeMounts }: ContainerSpec,
    environment: ReadonlyMap<string, string>,
  ): Mount[] | StartProblem {
    try {
      return this.#volumes.mounts(name, expandSubPaths(volumeMounts, environment));
    } catch (error) {
      return { reason: 'CreateContainerConfigError', message: errorText(error) };
    }
  }

  /** Removes earlier runs except the last one, which is kept for its log. */
  async forgetOldRuns(
    { container, attempt }: Run,
    { own }: { readonly own: string },
  ): Promise<void> {
    if (attempt < 2) return;
    const all = await this.#engine.labelled(own).catch(() => []);
    const old = all.filter(
      ({ labels }) =>
        labels[CONTAINER_LABEL] === container && Number(labels[ATTEMPT_LABEL]) < attempt - 1,
    );
    await this.#engine.remove(old.map(({ id }) => id)).catch(() => {});
  }

  async #image(spec: ContainerSpec, pod: PodSpec): Promise<ImageInfo | StartProblem> {
    const { name, image, imagePullPolicy } = spec;
    const known = imagePullPolicy === 'Always' ? undefined : this.#images.get(image);
    const found = known ?? (await findImage(spec, this.#engine, () => this.#onPull(name, image)));
    if ('reason' in found) return found;
    this.#images.set(image, found);
    return userProblem(spec, pod, found) ?? found;
  }
}
