import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { ExpectedError, errorText, formatAddress } from '@sidekit/core';

/** The size that is asked of the kernel for datagrams that wait; it gives at most `rmem_max`. */
const RECEIVE_BUFFER = 1024 * 1024;

const REMEDIES: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another process of the Pod listens there; choose another port',
  EADDRNOTAVAIL: 'this host has no such address; use 127.0.0.1:PORT or 0.0.0.0:PORT',
  EACCES: 'ports below 1024 need a privilege; choose a higher one',
  ENOTFOUND: 'the host name has no address; use 127.0.0.1:PORT',
};

/**
 * Opens a UDP socket, and resolves once it is bound. `option` names the address in the error.
 * @throws {ExpectedError} with a remedy if binding fails.
 */
export function openUdp(host: string, port: number, option: string): Promise<Socket> {
  const type = isIPv6(host) ? 'udp6' : 'udp4';
  const socket = createSocket({ type, recvBufferSize: RECEIVE_BUFFER });
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException) => {
      const remedy = REMEDIES[error.code ?? ''];
      const text = `${option} ${formatAddress({ host, port })} cannot be listened on (${errorText(error)})`;
      socket.close();
      reject(new ExpectedError(remedy === undefined ? text : `${text}: ${remedy}`));
    };
    socket.once('error', fail);
    socket.bind({ address: host, port, exclusive: true }, () => {
      socket.off('error', fail);
      resolve(socket);
    });
  });
}
