import { createServer } from 'node:http';
import { defineSidecar, listen } from '@sidekit/core';
import { LogWriter } from './access-log.ts';
import { createApp } from './app.ts';
import { table } from './options.ts';
import { serveWebSocket } from './web-socket.ts';

/** Serves until SIGTERM, then finishes the requests under way. */
export const webapp = defineSidecar({
  table,
  async run({ options, health, log, stopping, onStop }) {
    const serving = health.condition('server', 'startup', 'ready');
    const writer = new LogWriter(options.accessLog);
    onStop('access log', () => writer.close());
    const app = createApp({ static: options.static, maxBody: options.maxBody, log: writer });
    const server = createServer(app);
    const closeSockets = serveWebSocket(server, options.maxBody);
    await listen(server, options.listen, '--listen');
    onStop('server', () => {
      closeSockets();
      server.closeIdleConnections();
      return new Promise<void>((resolve) => server.close(() => resolve()));
    });
    serving.pass();
    log.info('listening', { address: server.address() });
    await new Promise<void>((resolve) =>
      stopping.addEventListener('abort', () => resolve(), { once: true }),
    );
  },
});
