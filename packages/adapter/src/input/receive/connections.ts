import { chmodSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import {
  errorText,
  formatAddress,
  freeBytes,
  listen,
  monotonic,
  pause,
  throttle,
} from '@sidekit/core';
import type { Listener, ListenerParts } from './datagrams.ts';
import { Frames } from './frames.ts';
import type { ListenerAddress } from './listener-address.ts';
import type { CloseCause } from './received.ts';

/** An address whose senders connect. */
export type ConnectionAddress = Exclude<ListenerAddress, { transport: 'udp' | 'tcp' }> | TcpAddress;
type TcpAddress = Exclude<ListenerAddress, { transport: 'unix' }> & { transport: 'tcp' };

export interface ConnectionOptions extends ListenerParts {
  /** Whether frames may begin with their length. */
  readonly counted: boolean;
  readonly mostConnections: number;
  /** How long a connection may be without a complete message, in milliseconds; 0: forever. */
  readonly idle: number;
}

const LOG_INTERVAL = 10_000;
/** How long the end waits for senders that still have something to send, in milliseconds. */
const LAST_WORDS = 1_000;
const CHECKS = 4;

/**
 * Receives messages over TCP or a Unix stream. If the spool is full, connections are not read, and
 * their senders wait. A Unix socket belongs to the user and group of the adapter (mode 0660).
 * @throws {ExpectedError} with a remedy if listening fails.
 */
export async function listenForConnections(
  given: ConnectionAddress,
  { option, spool, limit, metrics, log, counted, mostConnections, idle }: ConnectionOptions,
): Promise<Listener> {
  const open = new Map<Socket, { since: number }>();
  const server = createServer({ keepAlive: true, keepAliveInitialDelay: 60_000 });
  server.maxConnections = mostConnections;
  const target =
    given.transport === 'unix'
      ? { path: given.path }
      : { host: given.host ?? '127.0.0.1', port: given.port };
  await listen(server, target, option);
  if (given.transport === 'unix') chmodSync(given.path, 0o660);
  const bound = server.address();
  const address =
    bound === null || typeof bound === 'string'
      ? `unix:${String(bound)}`
      : `tcp:${formatAddress({ host: bound.address, port: bound.port })}`;
  const labels = { listener: address };
  const messages = metrics.messages.with(labels);
  const cutMessages = metrics.cut.with(labels);
  let reason: CloseCause = 'failed';
  const logClose = throttle(LOG_INTERVAL, (suppressed) =>
    log.warn('refused or closed the connection of a sender', {
      event: 'connection_closed',
      listener: address,
      cause: reason,
      suppressed,
    }),
  );
  const closed = (cause: CloseCause) => {
    metrics.closed.with({ ...labels, cause }).inc();
    reason = cause;
    logClose();
  };

  server.on('drop', () => closed('too_many'));
  server.on('connection', (socket) => {
    const state = { since: monotonic() };
    open.set(socket, state);
    const frames = new Frames({
      limit,
      counted,
      onMessage: (message, cut) => {
        state.since = monotonic();
        if (message.length === 0) return;
        messages.inc();
        if (cut) cutMessages.inc();
        spool.add(message, cut);
      },
    });
    socket.on('data', (chunk: Buffer) => {
      const isFramed = frames.push(chunk);
      freeBytes(chunk);
      if (!isFramed) {
        closed('framing');
        socket.destroy();
      } else if (!spool.hasRoom) socket.pause();
    });
    socket.on('end', () => {
      if (!frames.end()) metrics.dropped.with({ ...labels, cause: 'incomplete' }).inc();
    });
    // A sender that was reset says so by closing: there is nothing to do.
    socket.on('error', () => {});
    socket.on('close', () => open.delete(socket));
    if (!spool.hasRoom) socket.pause();
  });
  server.on('error', (error) =>
    log.error('a listener failed', {
      event: 'listener_failed',
      listener: address,
      error: errorText(error),
    }),
  );
  spool.onRoom(() => {
    for (const [socket, state] of open) {
      state.since = monotonic();
      socket.resume();
    }
  });
  const check = idle === 0 ? undefined : setInterval(closeIdle, Math.ceil(idle / CHECKS)).unref();

  /** A sender that sends single bytes of a message is idle too. */
  function closeIdle(): void {
    for (const [socket, { since }] of open) {
      if (socket.isPaused() || monotonic() - since < idle) continue;
      closed('idle');
      socket.destroy();
    }
  }

  return {
    address,
    close: async () => {
      clearInterval(check);
      const done = new Promise((resolve) => server.close(resolve));
      const patience = new AbortController();
      await Promise.race([done, pause(LAST_WORDS, patience.signal)]);
      patience.abort();
      for (const socket of open.keys()) socket.destroy();
      await done;
    },
  };
}
