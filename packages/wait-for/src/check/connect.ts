import { connect, type NetConnectOpts } from 'node:net';
import { errorText } from '@sidekit/core';

/** A port is there where it takes a connection; the name is resolved anew at every try. */
export function checkConnection(
  to: { readonly host: string; readonly port: number } | { readonly path: string },
  signal: AbortSignal,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ ...to, signal } as NetConnectOpts);
    const done = (reason?: string) => {
      socket.destroy();
      resolve(reason);
    };
    socket.once('connect', () => done());
    socket.once('error', (error) => done(signal.aborted ? 'no answer in time' : errorText(error)));
  });
}
