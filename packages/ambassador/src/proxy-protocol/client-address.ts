import type { Socket } from 'node:net';

/** The addresses that heads of the PROXY protocol gave, by the connection. */
const given = new Map<string, string>();

/** Names a connection. A TLS socket has the addresses of the socket that it wraps. */
function keyOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}

/** Notes the address of the client behind a connection, until it closes. */
export function setClientAddress(socket: Socket, address: string): void {
  const key = keyOf(socket);
  given.set(key, address);
  socket.once('close', () => given.delete(key));
}

/** Returns the address of a connection's client: without the prefix of IPv4 in IPv6. */
export function clientAddress(socket: Socket): string {
  const address = (given.size > 0 && given.get(keyOf(socket))) || socket.remoteAddress;
  if (address === undefined) return 'unix:';
  return address.startsWith('::ffff:') ? address.slice(7) : address;
}
