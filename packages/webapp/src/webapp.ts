import { createServer } from 'node:http';
import { defineSidecar, ExpectedError, errorText, listen, throttle } from '@sidekit/core';
import { LogWriter } from './access-log.ts';
import { createApp } from './app.ts';
import { table } from './options.ts';
import { serveWebSocket } from './web-socket.ts';

/** Serves until SIGTERM, then finishes the requests under way. */
export const webapp = defineSidecar({
  table,
  async run({ options, health, log, stopping, onStop }) {
    const serving = health.condition('server', 'startup', 'ready');
    let reason: unknown;
    const complain = throttle(10_000, (suppressed) =>
      log.warn('lines of the access log were lost', { error: errorText(reason), suppressed }),
    );
    const writer = openLog(options.accessLog, (error) => {
      reason = error;
      complain();
    });
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

function openLog(path: string | undefined, failed: (error: unknown) => void): LogWriter {
  try {
    return new LogWriter(path, failed);
  } catch (error) {
    throw new ExpectedError(`--access-log ${path} cannot be written (${errorText(error)})`);
  }
}
