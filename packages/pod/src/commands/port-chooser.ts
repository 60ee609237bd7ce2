import { createServer } from 'node:net';
import { ExpectedError } from '@sidekit/core/tool';
import type { PodObject, ServiceObject } from '../manifest/types.ts';
import type { PortClaims } from '../store/port-claims.ts';
import type { PodStore } from '../store/store.ts';

/** Hands out ports of 127.0.0.1, none for two uses, whichever commands choose them. */
export class PortChooser {
  readonly #store: PodStore;
  readonly #claims: PortClaims;
  readonly #held: ReadonlyMap<number, string>;

  constructor(store: PodStore, claims: PortClaims) {
    this.#store = store;
    this.#claims = claims;
    this.#held = usesOf(store);
  }

  /** @throws {ExpectedError} if the nodePort is taken. */
  async forService(
    { metadata }: ServiceObject,
    { port, nodePort }: ServiceObject['ports'][number],
  ): Promise<number> {
    const use = serviceUse(metadata, port);
    const held = this.#heldBy(use);
    if (held !== undefined && (nodePort === undefined || nodePort === held)) return held;
    if (nodePort === undefined) return this.#free(use, port);
    if ((await bindable(nodePort)) && this.#take(use, nodePort)) return nodePort;
    throw new ExpectedError(
      `Service ${metadata.name}: nodePort ${nodePort} of 127.0.0.1 is taken: free it, or leave nodePort out`,
    );
  }

  /** Returns a port that leads to a declared one of a Pod: the same if possible. */
  async forPod({ metadata }: PodObject, port: number): Promise<number> {
    const use = podUse(metadata, port);
    return this.#heldBy(use) ?? this.#free(use, port);
  }

  #heldBy(wanted: string): number | undefined {
    return this.#held.entries().find(([, use]) => use === wanted)?.[0];
  }

  async #free(use: string, wanted: number): Promise<number> {
    for (let port = await bindable(wanted); ; port = await bindable(0)) {
      if (port !== undefined && this.#take(use, port)) return port;
    }
  }

  /** Takes a port; what another command claimed until a moment ago is recorded by now. */
  #take(use: string, port: number): boolean {
    return this.#claims.claim(port, use) && (usesOf(this.#store).get(port) ?? use) === use;
  }
}

/** Returns what the ports of running Pods are for; a supervisor that waits for an image has none open. */
function usesOf({ pods }: PodStore): Map<number, string> {
  const uses = new Map<number, string>();
  for (const folder of pods) {
    if (!folder.supervised) continue;
    const { pod, services, forwards } = folder.record;
    for (const service of services) {
      for (const { port, host } of service.ports) {
        if (host !== undefined) uses.set(host, serviceUse(service, port));
      }
    }
    for (const { containerPort, host } of forwards) {
      uses.set(host, podUse(pod.metadata, containerPort));
    }
  }
  return uses;
}

interface Named {
  readonly namespace: string;
  readonly name: string;
}

function serviceUse({ namespace, name }: Named, port: number): string {
  return `Service ${namespace}/${name}:${port}`;
}

function podUse({ namespace, name }: Named, port: number): string {
  return `Pod ${namespace}/${name}:${port}`;
}

/** Binds a port of 127.0.0.1 for a moment. @returns the port, or undefined if that fails. */
function bindable(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' ? address?.port : undefined));
    });
  });
}
