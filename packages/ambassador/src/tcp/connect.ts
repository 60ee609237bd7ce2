import net from 'node:net';
import tls from 'node:tls';
import type { Endpoint } from '../upstream/endpoint.ts';

/** Connects to an endpoint with half-close. */
export function connect(endpoint: Endpoint): net.Socket {
  const { target } = endpoint;
  const socket =
    'secure' in target
      ? tls.connect({ ...target, allowHalfOpen: true } as tls.ConnectionOptions)
      : net.connect({ ...target, allowHalfOpen: true });
  socket.setNoDelay(true);
  return socket;
}
