import type { Socket } from 'node:net';
import { setClientAddress } from './client-address.ts';
import { MAX_HEAD, readHead } from './head.ts';

/** How long a head may take, in milliseconds. */
const TIMEOUT = 5000;

/** The causes for which a connection is closed. */
export type GateRefusal = 'peer' | 'head' | 'timeout';

/**
 * Reads the head of the PROXY protocol from each connection before anything else does. It is
 * required: whatever does not begin with one, in time, from a balancer, is closed without a reply.
 */
export class ProxyGate {
  /** Whether a peer is a balancer. */
  readonly #isBalancer: (address: string) => boolean;
  readonly #onRefused: (cause: GateRefusal, reason: string, peer: string) => void;
  readonly #waiting = new Set<Socket>();

  constructor(
    isBalancer: (address: string) => boolean,
    onRefused: (cause: GateRefusal, reason: string, peer: string) => void,
  ) {
    this.#isBalancer = isBalancer;
    this.#onRefused = onRefused;
  }

  /** Passes a connection on, paused, once its head was read; bytes after the head are put back. */
  admit(socket: Socket, pass: () => void): void {
    const peer = (socket.remoteAddress ?? '').replace(/^::ffff:/, '');
    const refuse = (cause: GateRefusal, reason: string) => {
      this.#onRefused(cause, reason, peer);
      socket.destroy();
    };
    if (!this.#isBalancer(peer)) {
      refuse('peer', 'the peer is not one of the balancers');
      return;
    }
    let bytes: Buffer = Buffer.alloc(0);
    const late = setTimeout(() => refuse('timeout', 'no head in time'), TIMEOUT);
    const forget = () => {
      clearTimeout(late);
      this.#waiting.delete(socket);
    };
    const onEnd = () => socket.destroy();
    const onData = (chunk: Buffer) => {
      bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
      const head = readHead(bytes.subarray(0, MAX_HEAD));
      if (head === undefined) return;
      socket.off('data', onData);
      socket.off('end', onEnd);
      socket.off('close', forget);
      forget();
      if (typeof head === 'string') {
        refuse('head', head);
        return;
      }
      if (head.address !== undefined) setClientAddress(socket, head.address);
      // A flowing socket would drop what is put back.
      socket.pause();
      if (bytes.length > head.length) socket.unshift(bytes.subarray(head.length));
      pass();
    };
    this.#waiting.add(socket);
    socket.on('data', onData);
    socket.on('end', onEnd);
    socket.on('close', forget);
  }

  /** Closes the connections whose head has not arrived. */
  close(): void {
    for (const socket of this.#waiting) socket.destroy();
  }
}
