import type { Server } from 'node:net';
import { ExpectedError, errorText } from './errors.ts';
import { type Address, formatAddress, listenOptions } from './options/index.ts';

const REMEDIES: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another process of the Pod listens there; choose another port',
  EADDRNOTAVAIL: 'this host has no such address; use :PORT or 127.0.0.1:PORT',
  EACCES: 'ports below 1024 need a privilege; choose a higher one',
};

/**
 * Listens and resolves once the address is bound. `option` names it in the error.
 * @throws {ExpectedError} with a remedy where binding fails.
 */
export function listen(server: Server, address: Address, option: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException) => {
      const remedy = REMEDIES[error.code ?? ''];
      reject(
        new ExpectedError(
          `${option} ${formatAddress(address)} cannot be listened on (${errorText(error)})${remedy ? `: ${remedy}` : ''}`,
        ),
      );
    };
    server.once('error', failed);
    server.listen(listenOptions(address), () => {
      server.off('error', failed);
      resolve();
    });
  });
}
