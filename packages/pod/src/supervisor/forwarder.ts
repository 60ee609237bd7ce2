import { connect, createServer, type Server, type Socket } from 'node:net';
import type { ForwardedPort, PodService, ServiceTarget } from '../store/record.ts';
import type { Endpoint, Endpoints } from './endpoints.ts';
import type { Address } from './handlers/handler.ts';

/**
 * Publishes the ports of Services on 127.0.0.1 and sends each connection to one of the Pods that
 * get their traffic, in turn. Every supervisor of a Service's Pods tries; one holds the port, and
 * when it ends another takes over at its next `refresh`.
 */
export class ServiceForwarder {
  readonly #endpoints: Endpoints;
  readonly #ports: readonly { readonly service: PodService; readonly target: ServiceTarget }[];
  readonly #servers = new Map<number, Server>();
  readonly #sockets = new Set<Socket>();
  #turn = 0;

  constructor(services: readonly PodService[], endpoints: Endpoints) {
    this.#endpoints = endpoints;
    this.#ports = services.flatMap((service) =>
      service.ports.map((target) => ({ service, target })),
    );
  }

  /** Takes the ports that nobody holds. */
  async refresh(): Promise<void> {
    for (const { service, target } of this.#ports) {
      const { host } = target;
      if (host === undefined || this.#servers.has(host)) continue;
      const server = createServer({ allowHalfOpen: true }, (socket) =>
        this.#forward(socket, service, target),
      );
      if (await listening(server, host)) this.#servers.set(host, server);
    }
  }

  close(): void {
    for (const server of this.#servers.values()) server.close();
    for (const socket of this.#sockets) socket.destroy();
    this.#servers.clear();
  }

  #forward(socket: Socket, service: PodService, target: ServiceTarget) {
    this.#keep(socket);
    const ready = this.#endpoints.of(service);
    const first = ready.length === 0 ? 0 : this.#turn++ % ready.length;
    this.#try(socket, [...ready.slice(first), ...ready.slice(0, first)], target);
  }

  /** The first Pod that takes the connection gets it; without one it is reset, like a closed port. */
  #try(socket: Socket, [endpoint, ...others]: readonly Endpoint[], target: ServiceTarget) {
    const place = endpoint?.fromHost[target.target];
    if (!place) {
      if (others.length > 0) this.#try(socket, others, target);
      else socket.resetAndDestroy();
      return;
    }
    const upstream = connect({ ...place, allowHalfOpen: true });
    this.#keep(upstream);
    const failed = () => this.#try(socket, others, target);
    upstream.once('error', failed);
    upstream.once('connect', () => {
      upstream.off('error', failed);
      splice(socket, upstream);
    });
  }

  #keep(socket: Socket) {
    socket.on('error', () => {});
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
  }
}

/** Joins two connections; each end of one is the end of the other. */
function splice(socket: Socket, upstream: Socket) {
  upstream.on('error', () => socket.resetAndDestroy());
  socket.on('error', () => upstream.destroy());
  socket.pipe(upstream).pipe(socket);
}

/** The published ports of a Pod. */
export interface Forwarding {
  readonly ports: readonly ForwardedPort[];
  readonly close: () => void;
}

/**
 * Publishes declared ports of a Pod on 127.0.0.1, whether a Service leads to them or not. One that
 * another program has taken since it was chosen, another Pod for one, is replaced by a free one.
 */
export async function forwardPorts(
  wanted: readonly ForwardedPort[],
  reach: (port: number) => Address | undefined,
): Promise<Forwarding> {
  const sockets = new Set<Socket>();
  const keep = (socket: Socket) => {
    socket.on('error', () => {});
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  };
  const servers: Server[] = [];
  const publish = async ({ containerPort, host }: ForwardedPort): Promise<ForwardedPort[]> => {
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      keep(socket);
      const place = reach(containerPort);
      if (!place) return socket.resetAndDestroy();
      const upstream = connect({ ...place, allowHalfOpen: true });
      keep(upstream);
      splice(socket, upstream);
    });
    servers.push(server);
    // Without any port the Pod runs all the same.
    if (!(await listening(server, host)) && !(await listening(server, 0))) return [];
    const address = server.address();
    return typeof address === 'object' && address ? [{ containerPort, host: address.port }] : [];
  };
  const ports = (await Promise.all(wanted.map(publish))).flat();
  const close = () => {
    for (const server of servers) server.close();
    for (const socket of sockets) socket.destroy();
  };
  return { ports, close };
}

function listening(server: Server, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => resolve(true));
  });
}
