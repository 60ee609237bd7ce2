import { errorText, formatAddress, freeBytes, type Log, throttle } from '@sidekit/core';
import { openUdp } from '../net/udp.ts';
import type { Spool } from '../spool/spool.ts';
import { withoutEnd } from './frames.ts';
import type { ListenerAddress } from './listener-address.ts';
import type { ReceiveMetrics } from './received.ts';

export interface ListenerParts {
  /** The option, for errors. */
  readonly option: string;
  readonly spool: Spool;
  /** The most bytes of a message that are kept. */
  readonly limit: number;
  readonly metrics: ReceiveMetrics;
  readonly log: Log;
}

/** An open listener. */
export interface Listener {
  readonly address: string;
  /** The size of the receive buffer of datagrams, in bytes. */
  readonly receiveBuffer?: number;
  /** The datagrams that the kernel dropped. */
  readonly kernelDrops?: () => number;
  /** Takes no new messages, and ends once those that have arrived are in the spool. */
  close(): Promise<void>;
}

const LOG_INTERVAL = 10_000;

/**
 * Receives one message with each datagram. A sender over UDP cannot wait: what the spool has no
 * room for is dropped and counted.
 * @throws {ExpectedError} with a remedy if binding fails.
 */
export async function listenForDatagrams(
  { host = '127.0.0.1', port: wanted }: ListenerAddress & { transport: 'udp' },
  { option, spool, limit, metrics, log }: ListenerParts,
): Promise<Listener> {
  const { socket, port, receiveBuffer, drops } = await openUdp(host, wanted, option, log);
  const address = `udp:${formatAddress({ host, port })}`;
  const labels = { listener: address };
  const messages = metrics.messages.with(labels);
  const cut = metrics.cut.with(labels);
  const full = metrics.dropped.with({ ...labels, cause: 'spool_full' });
  const logDrop = throttle(LOG_INTERVAL, (suppressed) =>
    log.warn('dropped received messages: the spool is full', {
      event: 'message_dropped',
      listener: address,
      suppressed,
    }),
  );
  socket.on('message', (bytes) => {
    take(withoutEnd(bytes));
    freeBytes(bytes);
  });
  function take(message: Uint8Array): void {
    if (message.length === 0) return;
    messages.inc();
    if (!spool.hasRoom) {
      full.inc();
      logDrop();
      return;
    }
    if (message.length <= limit) {
      spool.add(message, false);
      return;
    }
    cut.inc();
    spool.add(message.subarray(0, limit), true);
  }
  socket.on('error', (error) =>
    log.error('a socket failed', {
      event: 'listener_failed',
      listener: address,
      error: errorText(error),
    }),
  );
  return {
    address,
    receiveBuffer,
    kernelDrops: drops,
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}
