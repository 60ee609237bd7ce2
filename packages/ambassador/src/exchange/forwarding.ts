import type { Socket } from 'node:net';
import { type PeerCertificate, TLSSocket } from 'node:tls';
import type { Forwarding } from '../http/canonical-request.ts';
import { clientAddress } from '../proxy-protocol/client-address.ts';
import type { Runtime } from './runtime.ts';

/** Returns the facts that are added to the requests of a connection under `runtime`. */
export function forwardingOf(socket: Socket, runtime: Runtime, http2 = false): Forwarding {
  const address = clientAddress(socket);
  const verified = runtime.verifiesClients && socket instanceof TLSSocket && socket.authorized;
  const certificate = verified ? socket.getPeerCertificate() : undefined;
  return {
    clientAddress: address,
    protocol: socket instanceof TLSSocket ? 'https' : 'http',
    trusted: runtime.trusts(address),
    via: `${http2 ? '2.0' : '1.1'} ${runtime.via}`,
    verifiesClients: runtime.verifiesClients,
    clientCert: certificate && clientCert(certificate),
    denied:
      runtime.clientNames.size > 0 &&
      !namesOf(certificate).some((name) => runtime.clientNames.has(name)),
  };
}

/** Formats the verified certificate of a client as a byte sequence (RFC 9440 §2.2, RFC 8941 §3.3.5). */
function clientCert({ raw }: PeerCertificate): string | undefined {
  return raw && `:${raw.toString('base64')}:`;
}

/**
 * Splits the subject alternative names of a certificate, such as `DNS:a, URI:spiffe://b/c`. Node.js
 * quotes a name that holds a comma or a quote, so that it cannot pretend to be two.
 */
export function namesOf(
  certificate: Pick<PeerCertificate, 'subjectaltname'> | undefined,
): string[] {
  const text = certificate?.subjectaltname ?? '';
  return [...text.matchAll(/(?:^|, )([A-Za-z ]+:)("(?:[^"\\\\]|\\\\.)*"|[^,"]*)(?=, |$)/g)].map(
    ([, kind, value = '']) => kind + (value.startsWith('"') ? JSON.parse(value) : value),
  );
}
