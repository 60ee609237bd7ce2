import { rmSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { createInterface } from 'node:readline';

/** A request to a supervisor over its socket. */
export type ControlRequest =
  | { readonly type: 'terminate'; readonly gracePeriodSeconds?: number }
  /** The record has new ConfigMaps and Secrets, or another activeDeadlineSeconds. */
  | { readonly type: 'update' };

/** Takes requests on a Unix socket, one JSON line each. */
export function serveControl(
  path: string,
  onRequest: (request: ControlRequest) => void,
): Promise<Server> {
  rmSync(path, { force: true });
  const server = createServer((socket) => {
    socket.on('error', () => {});
    createInterface({ input: socket }).on('line', (line) => {
      try {
        onRequest(JSON.parse(line));
      } catch {}
      socket.end('ok\n');
    });
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => resolve(server));
  });
}

/** Sends a request to a supervisor. @returns whether it was accepted. */
export function sendControl(path: string, request: ControlRequest): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path, () => socket.write(`${JSON.stringify(request)}\n`));
    socket.once('data', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
  });
}
