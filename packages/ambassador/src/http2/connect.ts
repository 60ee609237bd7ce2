import net from 'node:net';
import tls from 'node:tls';
import type { Target } from '../upstream/target.ts';

/** Connects for a session: with TLS, only to an upstream that chooses HTTP/2. */
export function connectHttp2(target: Target): net.Socket {
  if (!('secure' in target))
    return net.connect({ ...(target as net.NetConnectOpts), noDelay: true });
  const socket = tls.connect({ ...target, ALPNProtocols: ['h2'] });
  socket.setNoDelay(true);
  socket.once('secureConnect', () => {
    if (socket.alpnProtocol !== 'h2')
      socket.destroy(new Error('the upstream does not choose HTTP/2'));
  });
  return socket;
}
