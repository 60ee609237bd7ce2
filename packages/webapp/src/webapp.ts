import { EventEmitter } from 'node:events';
import { createServer } from 'node:http';
import {
  type Address,
  defineSidecar,
  ExitCode,
  ExpectedError,
  errorText,
  listen,
  throttle,
} from '@sidekit/core';
import { LogWriter } from './http/access-log.ts';
import { createApp } from './http/app.ts';
import { Settings } from './http/settings.ts';
import { Telemetry } from './http/telemetry.ts';
import { serveWebSocket } from './http/web-socket.ts';
import { table } from './options.ts';

/** Emits `hangup` at SIGHUP. */
export const hangups = new EventEmitter();

/** Serves until SIGTERM, then finishes the requests in progress. */
export const webapp = defineSidecar({
  table,
  async run({ options, health, log, stopped, onStop }) {
    const serving = health.condition('server', 'startup', 'ready');
    let reason: unknown;
    const report = throttle(10_000, (suppressed) =>
      log.warn('lines of the access log were lost', {
        event: 'access_log_failed',
        error: errorText(reason),
        suppressed,
      }),
    );
    const writer = openLog(options.accessLog, (error) => {
      reason = error;
      report();
    });
    onStop('access log', () => writer.close());
    const settings = new Settings(options.settings);
    const reload = () => {
      try {
        settings.load();
        log.info('settings read again', { event: 'reloaded', loads: settings.loads });
      } catch (error) {
        log.warn(errorText(error), { event: 'reload_failed' });
      }
    };
    hangups.on('hangup', reload);
    onStop('reload', () => hangups.off('hangup', reload));
    // The name by which other containers of the Pod find this process.
    process.title = 'webapp';
    const { static: directory, maxBody } = options;
    const telemetry = new Telemetry(
      udpAddress(options.statsd, '--statsd'),
      udpAddress(options.syslog, '--syslog'),
    );
    onStop('telemetry', () => telemetry.close());
    const app = createApp({
      static: directory,
      maxBody,
      log: writer,
      settings,
      telemetry,
      grpc: options.grpcListen !== undefined,
    });
    const server = createServer(app);
    const closeSockets = serveWebSocket(server, options.maxBody);
    await listen(server, options.listen, '--listen');
    onStop('server', () => {
      closeSockets();
      server.closeIdleConnections();
      return new Promise<void>((resolve) => server.close(() => resolve()));
    });
    if (options.grpcListen !== undefined) {
      // Only this mode needs the memory of grpc-js.
      const { startGrpc } = await import('./grpc/server.ts');
      const grpc = await startGrpc(options.grpcListen, options.maxBody);
      onStop('gRPC', () => grpc.stop());
      log.info('serving gRPC', { event: 'serving_grpc', port: grpc.port });
    }
    serving.pass();
    log.info('listening', { event: 'listening', address: server.address() });
    await stopped;
  },
});

function udpAddress(address: Address | undefined, option: string) {
  if (address === undefined || !('path' in address)) return address;
  throw new ExpectedError(`${option} must be a host and a port: it is UDP`, ExitCode.usage);
}

function openLog(path: string | undefined, failed: (error: unknown) => void): LogWriter {
  try {
    return new LogWriter(path, failed);
  } catch (error) {
    throw new ExpectedError(`--access-log ${path} cannot be written (${errorText(error)})`);
  }
}
