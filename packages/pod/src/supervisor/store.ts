import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ExpectedError } from '@sidekit/core';
import type { FoundEngine } from '../engine/find.ts';
import type { PodStatusObject } from '../lifecycle/status.ts';
import type { DataObjects, PodObject } from '../manifest/types.ts';
import { PodVolumes } from '../volumes/pod-volumes.ts';

/** What a supervisor is given: a Pod and everything it refers to. */
export interface PodRecord {
  readonly pod: PodObject;
  readonly uid: string;
  /** In milliseconds since 1970. */
  readonly createdAt: number;
  readonly engine: FoundEngine;
  readonly configMaps: EncodedData;
  readonly secrets: EncodedData;
  /** The folder of the store that it is in. */
  readonly store: string;
  /** The folder of its volumes on the host. */
  readonly volumes: string;
  /** The Services that select this Pod. */
  readonly services: readonly PodService[];
  /** Variables of the Services of its namespace. */
  readonly serviceVariables: Readonly<Record<string, string>>;
  readonly hostPorts: readonly HostPort[];
  readonly backoffBase?: number | undefined;
}

/** A Service as one of its Pods sees it. */
export interface PodService {
  readonly name: string;
  readonly namespace: string;
  /** Found and sent to even while it is not ready. */
  readonly always: boolean;
  readonly ports: readonly ServiceTarget[];
}

export interface ServiceTarget {
  readonly name: string | undefined;
  readonly port: number;
  /** The port of the Pod. */
  readonly target: number;
  /** The port of 127.0.0.1 that leads to it; undefined where none does. */
  readonly host: number | undefined;
}

export interface HostPort {
  readonly containerPort: number;
  readonly hostPort: number;
  readonly hostIP: string;
  readonly protocol: string;
}

/** ConfigMaps and Secrets with their values in base64, for JSON. */
export type EncodedData = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** One line of a Pod's timeline. */
export interface TimelineEntry {
  readonly time: string;
  readonly reason: string;
  readonly container?: string;
  readonly message: string;
}

/** The folder of one Pod: its record, status, timeline and volumes. */
export class PodFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  get name(): string {
    return this.path.split('/').at(-1) ?? '';
  }

  readonly file = (name: string): string => join(this.path, name);

  get exists(): boolean {
    return existsSync(this.file('record.json'));
  }

  get record(): PodRecord {
    return JSON.parse(readFileSync(this.file('record.json'), 'utf8'));
  }

  set record(record: PodRecord) {
    this.#write('record.json', record);
  }

  get status(): PodStatusObject | undefined {
    const path = this.file('status.json');
    return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;
  }

  set status(status: PodStatusObject) {
    this.#write('status.json', status);
  }

  note(entry: TimelineEntry): void {
    appendFileSync(this.file('events.jsonl'), `${JSON.stringify(entry)}\n`);
  }

  get timeline(): TimelineEntry[] {
    const path = this.file('events.jsonl');
    if (!existsSync(path)) return [];
    const lines = readFileSync(path, 'utf8').split('\n');
    return lines.filter(Boolean).map((line) => JSON.parse(line));
  }

  /** Whether the process that looks after this Pod is alive. */
  get supervised(): boolean {
    const pid = this.#pid;
    if (pid === undefined) return false;
    try {
      process.kill(pid, 0);
      // A number that was given to another process meanwhile is not ours.
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('supervise');
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'ENOENT' && !existsSync('/proc/self');
    }
  }

  get #pid(): number | undefined {
    try {
      return Number(readFileSync(this.file('pid'), 'utf8'));
    } catch {
      return undefined;
    }
  }

  /** Removes the folder and the volumes. */
  remove(): void {
    if (this.exists) {
      const { volumes, pod } = this.record;
      new PodVolumes(volumes, pod.spec).remove();
    }
    rmSync(this.path, { recursive: true, force: true });
  }

  #write(name: string, value: unknown) {
    mkdirSync(this.path, { recursive: true, mode: 0o700 });
    const temporary = this.file(`${name}.new`);
    writeFileSync(temporary, JSON.stringify(value), { mode: 0o600 });
    renameSync(temporary, this.file(name));
  }
}

/** The folder of all Pods of this user. */
export class PodStore {
  readonly root: string;

  constructor(root: string) {
    this.root = root;
    mkdirSync(join(root, 'pods'), { recursive: true, mode: 0o700 });
    const { uid } = statSync(root);
    if (process.getuid && uid !== process.getuid()) {
      throw new ExpectedError(
        `${root} belongs to UID ${uid}: set SIDEKIT_POD_DIR to a folder of your own`,
      );
    }
  }

  get pods(): PodFolder[] {
    return readdirSync(join(this.root, 'pods'))
      .toSorted()
      .map((name) => this.pod(name));
  }

  pod(name: string): PodFolder {
    return new PodFolder(join(this.root, 'pods', name));
  }

  /** @throws {ExpectedError} naming the Pods there are. */
  existing(name: string): PodFolder {
    const found = this.pods.find((pod) => pod.name === name);
    if (found) return found;
    const all = this.pods.map((pod) => pod.name).join(', ');
    throw new ExpectedError(
      `no Pod ${name}: ${all ? `there are ${all}` : 'none runs; start one with pod up FILE'}`,
      64,
    );
  }

  /** Where Ready Pods leave their address under each of their Services' names. */
  get endpoints(): string {
    return join(this.root, 'endpoints');
  }

  /** Where the volumes of a Pod are: on disk, since the folder of the state may be in memory. */
  volumes(pod: string, uid: string): string {
    return join(tmpdir(), `sidekit-pod-${process.getuid?.() ?? 0}-volumes`, `${pod}-${uid}`);
  }
}

export function encodeData(objects: DataObjects): EncodedData {
  return mapValues(objects, (content) => content.toString('base64'));
}

export function decodeData(objects: EncodedData): DataObjects {
  return mapValues(objects, (content) => Buffer.from(content, 'base64'));
}

function mapValues<A, B>(
  objects: Readonly<Record<string, Readonly<Record<string, A>>>>,
  change: (value: A) => B,
): Record<string, Record<string, B>> {
  return Object.fromEntries(
    Object.entries(objects).map(([name, data]) => [
      name,
      Object.fromEntries(Object.entries(data).map(([key, value]) => [key, change(value)])),
    ]),
  );
}

/** The label of all containers of all Pods; its value is the Pod's name. */
export const POD_LABEL = 'dev.sidekit.pod';

/** The label of a Pod's containers that its sandbox has not; its value is the container's name. */
export const CONTAINER_LABEL = 'dev.sidekit.container';

/** The label of all containers that one store's Pods have; its value is the store's folder. */
const STORE_LABEL = 'dev.sidekit.pod.store';

/** Finds all containers of a store, also those whose Pod it has forgotten. */
export function storeLabel(root: string): string {
  return `${STORE_LABEL}=${root}`;
}

/** The labels that all containers of a Pod carry; `own` is that of this very Pod. */
export function podLabels({ pod, uid, store }: Pick<PodRecord, 'pod' | 'uid' | 'store'>) {
  const own = `dev.sidekit.pod.uid=${uid}`;
  return { own, all: [`${POD_LABEL}=${pod.metadata.name}`, own, storeLabel(store)] };
}
