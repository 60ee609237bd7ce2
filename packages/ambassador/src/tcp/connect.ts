import net from 'node:net';
import tls from 'node:tls';
import type { ReadBufferPool } from '../memory/read-buffer.ts';
import { readingShared } from '../memory/socket-reading.ts';
import type { Endpoint } from '../upstream/endpoint.ts';

/** Connects to an endpoint with half-close. */
export function connect({ target }: Endpoint, pool: ReadBufferPool): net.Socket {
  const socket =
    'secure' in target
      ? tls.connect({ ...target, allowHalfOpen: true } as tls.ConnectionOptions)
      : readingShared(pool, (onread) => net.connect({ ...target, allowHalfOpen: true, onread }));
  socket.setNoDelay(true);
  return socket;
}
