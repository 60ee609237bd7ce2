import { connect, type NetConnectOpts } from 'node:net';
import { absence } from './absence.ts';

/** Tests that a port takes a connection; the name is resolved at every try. */
export function checkConnection(
  to: { readonly host: string; readonly port: number } | { readonly path: string },
  signal: AbortSignal,
): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect({ ...to, signal } as NetConnectOpts);
    socket.once('connect', () => {
      socket.destroy();
      resolve(undefined);
    });
    socket.once('error', (error) => {
      try {
        resolve(signal.aborted ? 'no answer in time' : absence(error));
      } catch (unsure) {
        reject(unsure);
      }
    });
  });
}
