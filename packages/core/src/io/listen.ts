import { lstatSync, unlinkSync } from 'node:fs';
import { connect, type Server } from 'node:net';
import { ExpectedError, errorText } from '../errors.ts';
import { type Address, formatAddress, listenOptions } from '../options/address.ts';

const TCP_REMEDIES: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another process of the Pod listens there; choose another port',
  EADDRNOTAVAIL: 'this host has no such address; use :PORT or 127.0.0.1:PORT',
  EACCES: 'ports below 1024 need a privilege; choose a higher one',
  ENOTFOUND: 'the host name has no address; use :PORT or 127.0.0.1:PORT',
};

const UNIX_REMEDIES: Readonly<Record<string, string>> = {
  EADDRINUSE:
    'another process listens there, or it is a file that is not a socket of this user; choose another path',
  // libuv says EACCES where the kernel says ENOENT.
  EACCES: 'the directory does not exist or is not writable for this user; mount one that is',
  EROFS: 'the file system is read-only; mount a volume there',
};

/**
 * Listens and resolves once the address is bound. `option` names it in the error. The file of a
 * Unix socket that a killed process of this user left behind is replaced: after a restart of the
 * container on the same volume nobody else would remove it. Other files are never removed.
 * @throws {ExpectedError} with a remedy where binding fails.
 */
export async function listen(server: Server, address: Address, option: string): Promise<void> {
  try {
    try {
      await bind(server, address);
    } catch (error) {
      if (!('path' in address) || !(await abandoned(error, address.path))) throw error;
      unlinkSync(address.path);
      await bind(server, address);
    }
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    const remedy = ('path' in address ? UNIX_REMEDIES : TCP_REMEDIES)[code];
    const sentence = `${option} ${formatAddress(address)} cannot be listened on (${errorText(error)})`;
    throw new ExpectedError(remedy ? `${sentence}: ${remedy}` : sentence);
  }
}

function bind(server: Server, address: Address): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(listenOptions(address), () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** Whether a socket of this user refuses connections, as other files do too: its process is gone. */
function abandoned(error: unknown, path: string): Promise<boolean> {
  if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') return Promise.resolve(false);
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (!stats?.isSocket() || stats.uid !== process.geteuid?.()) return Promise.resolve(false);
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.once('connect', () => {
      socket.destroy();
      resolve(false);
    });
    socket.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code === 'ECONNREFUSED'));
  });
}
