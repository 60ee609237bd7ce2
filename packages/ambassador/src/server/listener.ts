import net from 'node:net';
import tls from 'node:tls';
import { type Address, formatAddress, listen } from '@sidekit/core';
import { SMALL } from '../http/small.ts';
import type { ReadBufferPool } from '../memory/read-buffer.ts';
import { acceptShared } from '../memory/socket-reading.ts';
import type { ProxyGate } from '../proxy-protocol/gate.ts';
import type { Clock } from '../time/clock.ts';
import type { TlsFiles } from './tls-files.ts';

/** Serves the connections of a listener. */
export interface Handler {
  accept(socket: net.Socket): void;
  readonly connections: number;
  /** Closes each connection when its request ends. */
  drain(): void;
  /** Closes connections that have been idle since `time` (of the clock). */
  closeIdle(time: number): void;
  /** Ends streams that may have no end by themselves, with a status. */
  stopCalls?(): void;
  /** Closes all connections at once. */
  destroy(): void;
  /** Stops background work. */
  close(): void;
}

/** Binds an address and passes its connections to a handler. */
export class Listener {
  readonly name: string;
  readonly address: Address;
  readonly direction: 'inbound' | 'outbound';
  readonly #server: net.Server;
  /** Serves TLS on the connections of the server. */
  readonly #tls: tls.Server | undefined;
  /** Reads the heads of the PROXY protocol, if they are required. */
  #gate: ProxyGate | undefined;
  readonly #clock: Clock;
  readonly #handler: Handler;
  #closed = false;
  /** From when on gRPC calls are ended, in milliseconds of `performance.now()`. */
  #callsUntil = Number.POSITIVE_INFINITY;

  constructor(
    settings: {
      name: string;
      address: Address;
      direction: 'inbound' | 'outbound';
      halfOpen: boolean;
      maxConnections: number;
      /** Offered to TLS clients. */
      protocols: string[];
      gate: ProxyGate | undefined;
      /** The memory that cleartext connections read into. */
      pool: ReadBufferPool;
    },
    secure: TlsFiles['server'],
    handler: Handler,
    clock: Clock,
  ) {
    this.#handler = handler;
    this.name = settings.name;
    this.address = settings.address;
    this.direction = settings.direction;
    this.#clock = clock;
    const options = {
      highWaterMark: SMALL,
      noDelay: true,
      allowHalfOpen: settings.halfOpen,
      pauseOnConnect: false,
    };
    this.#gate = settings.gate;
    const accept = (socket: net.Socket) => {
      // An error handler from the first tick: an error of a socket must never end the process.
      socket.on('error', () => {});
      handler.accept(socket);
    };
    if (secure) {
      this.#tls = tls.createServer(
        { ...options, ...secure, handshakeTimeout: 10_000, ALPNProtocols: settings.protocols },
        accept,
      );
      this.#tls.on('tlsClientError', (_error, socket) => socket.destroy());
    }
    const serve = (socket: net.Socket) =>
      this.#tls ? void this.#tls.emit('connection', socket) : accept(socket);
    this.#server = net.createServer(options, (accepted) => {
      // TLS and its clear text have buffers of their own.
      const socket = this.#tls ? accepted : acceptShared(accepted, settings.pool, options);
      if (this.#gate === undefined) serve(socket);
      else {
        socket.on('error', () => {});
        this.#gate.admit(socket, () => {
          serve(socket);
          // A tcp handler reads later, and TLS by itself.
          if (socket.listenerCount('data') > 0) socket.resume();
        });
      }
    });
    this.#server.maxConnections = settings.maxConnections;
  }

  get connections(): number {
    return this.#handler.connections;
  }

  set maxConnections(count: number) {
    this.#server.maxConnections = count;
  }

  renewTls(secure: NonNullable<TlsFiles['server']>): void {
    this.#tls?.setSecureContext(secure);
  }

  /** Replaces the gate, for new connections. */
  set gate(gate: ProxyGate | undefined) {
    this.#gate?.close();
    this.#gate = gate;
  }

  /** Starts to listen. @throws {ExpectedError} if the address cannot be bound. */
  async listen(): Promise<void> {
    await listen(this.#server, this.address, `listener ${this.name}`);
    this.#server.on('error', () => {});
  }

  get boundTo(): string {
    const bound = this.#server.address();
    return typeof bound === 'object' && bound !== null
      ? formatAddress({ host: bound.address, port: bound.port })
      : formatAddress(this.address);
  }

  /**
   * Drains: sends `Connection: close` at once, accepts for `delay` milliseconds more (outbound: while
   * it is in use), closes idle connections, and waits for the rest, up to `endCallsFrom`.
   */
  async drain(delay: number): Promise<void> {
    const began = performance.now();
    this.#handler.drain();
    const since = this.#clock.now;
    const settled = () => {
      if (performance.now() >= this.#callsUntil) this.#handler.stopCalls?.();
      return this.direction === 'outbound'
        ? this.connections === 0
        : performance.now() - began >= delay;
    };
    await waitFor(() => performance.now() - began >= Math.min(delay, 100) && settled());
    this.close();
    await waitFor(() => {
      if (performance.now() >= this.#callsUntil) this.#handler.stopCalls?.();
      this.#handler.closeIdle(Math.max(since, this.#clock.now - 1000));
      return this.connections === 0;
    });
    this.destroy();
  }

  /** Ends gRPC calls during a drain. @param time in milliseconds of `performance.now()`. */
  endCallsFrom(time: number): void {
    this.#callsUntil = Math.min(this.#callsUntil, time);
  }

  /** Stops accepting. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#server.close();
    this.#gate?.close();
  }

  destroy(): void {
    this.close();
    this.#handler.destroy();
    this.#handler.close();
  }
}

function waitFor(condition: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const poll = () => {
      if (condition()) resolve();
      else setTimeout(poll, 20);
    };
    poll();
  });
}
