import type { FoundEngine } from '../engine/find.ts';
import type { DataObjects, PodObject } from '../manifest/types.ts';

/** A supervisor's input: a Pod and everything it refers to. */
export interface PodRecord {
  readonly pod: PodObject;
  readonly uid: string;
  /** In milliseconds since 1970. */
  readonly createdAt: number;
  readonly engine: FoundEngine;
  readonly configMaps: EncodedData;
  readonly secrets: EncodedData;
  /** The folder of the store that it belongs to. */
  readonly store: string;
  /** The folder of its volumes on the host. */
  readonly volumes: string;
  /** The Services that select this Pod. */
  readonly services: readonly PodService[];
  /** Variables of the Services of its namespace. */
  readonly serviceVariables: Readonly<Record<string, string>>;
  readonly hostPorts: readonly HostPort[];
  /** Ports of 127.0.0.1 that lead to the Pod's declared ports. */
  readonly forwards: readonly ForwardedPort[];
  readonly backoffBase?: number | undefined;
  /** Shared by all Pods that one `up` creates for one Job. */
  readonly jobUid: string;
  /** When the Job began, in milliseconds since 1970. */
  readonly jobBegunAt: number;
}

/** A Service as one of its Pods sees it. */
export interface PodService {
  readonly name: string;
  readonly namespace: string;
  /** Gets traffic even while it is not ready (publishNotReadyAddresses). */
  readonly always: boolean;
  readonly ports: readonly ServiceTarget[];
}

export interface ServiceTarget {
  readonly name: string | undefined;
  readonly port: number;
  /** The port of the Pod. */
  readonly target: number;
  /** The port of 127.0.0.1 that leads to it; undefined if there is none. */
  readonly host: number | undefined;
  readonly appProtocol?: string | undefined;
}

export interface ForwardedPort {
  readonly containerPort: number;
  /** The port of 127.0.0.1. */
  readonly host: number;
}

export interface HostPort {
  readonly containerPort: number;
  readonly hostPort: number;
  readonly hostIP: string;
  readonly protocol: string;
}

/** ConfigMaps and Secrets with their values in base64, for JSON. */
export type EncodedData = Readonly<Record<string, Readonly<Record<string, string>>>>;

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
