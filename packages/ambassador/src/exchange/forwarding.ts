import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Forwarding } from '../http/canonical-request.ts';
import type { Runtime } from './runtime.ts';

/** Returns the facts that are added to the requests of a connection under `runtime`. */
export function forwardingOf(socket: Socket, runtime: Runtime): Forwarding {
  const peer = socket.remoteAddress;
  const clientAddress =
    peer === undefined ? 'unix:' : peer.startsWith('::ffff:') ? peer.slice(7) : peer;
  return {
    clientAddress,
    protocol: socket instanceof TLSSocket ? 'https' : 'http',
    trusted: runtime.trusts(clientAddress),
    hostHeader: runtime.hostHeader,
    via: runtime.via,
    verifiesClients: runtime.verifiesClients,
    clientCert:
      runtime.verifiesClients && socket instanceof TLSSocket ? clientCert(socket) : undefined,
  };
}

/** Formats the verified certificate of a client as a byte sequence (RFC 9440 §2.2, RFC 8941 §3.3.5). */
function clientCert(socket: TLSSocket): string | undefined {
  const { raw } = socket.getPeerCertificate();
  return socket.authorized && raw !== undefined ? `:${raw.toString('base64')}:` : undefined;
}
