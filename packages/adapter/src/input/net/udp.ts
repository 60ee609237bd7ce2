import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { ExpectedError, errorText, formatAddress, type Log } from '@sidekit/core';
import { kernelDrops } from './kernel-drops.ts';

/**
 * The size that is asked of the kernel for datagrams that wait, in bytes, so that a pause of the
 * event loop costs none: it holds some 10,000 small ones. It gives at most `net.core.rmem_max`.
 */
const RECEIVE_BUFFER = 4 * 1024 * 1024;
/** How often the kernel's drops are checked, in milliseconds. */
const CHECK = 10_000;

const REMEDIES: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another process of the Pod listens there; choose another port',
  EADDRNOTAVAIL: 'this host has no such address; use 127.0.0.1:PORT or 0.0.0.0:PORT',
  EACCES: 'ports below 1024 need a privilege; choose a higher one',
  ENOTFOUND: 'the host name has no address; use 127.0.0.1:PORT',
};

/** An open UDP socket. */
export interface UdpSocket {
  readonly socket: Socket;
  readonly port: number;
  /** The size of its receive buffer, in bytes, as the kernel counts it for `net.core.rmem_max`. */
  readonly receiveBuffer: number;
  /** The datagrams that the kernel dropped so far. */
  readonly drops: () => number;
}

/**
 * Opens a UDP socket, and resolves once it is bound. `option` names the address in the error. Warns
 * when the kernel dropped datagrams.
 * @throws {ExpectedError} with a remedy if binding fails.
 */
export function openUdp(host: string, port: number, option: string, log: Log): Promise<UdpSocket> {
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
      const bound = socket.address();
      const drops = () => kernelDrops(bound);
      // Linux doubles it for its own needs (socket(7)).
      const receiveBuffer = socket.getRecvBufferSize() / 2;
      warnOfDrops({ socket, port: bound.port, receiveBuffer, drops }, option, log);
      resolve({ socket, port: bound.port, receiveBuffer, drops });
    });
  });
}

function warnOfDrops({ socket, port, receiveBuffer, drops }: UdpSocket, option: string, log: Log) {
  let known = 0;
  const check = setInterval(() => {
    const all = drops();
    if (all > known) {
      const remedy =
        receiveBuffer < RECEIVE_BUFFER
          ? `; raise net.core.rmem_max of the node to ${RECEIVE_BUFFER}`
          : '; give the adapter more CPU, or send less';
      log.warn(`the kernel dropped datagrams, since its receive buffer was full${remedy}`, {
        event: 'datagrams_dropped',
        ...{ option, port, receiveBuffer, dropped: all - known },
      });
    }
    known = all;
  }, CHECK).unref();
  socket.once('close', () => clearInterval(check));
}
