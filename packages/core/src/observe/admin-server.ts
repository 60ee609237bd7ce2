import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { errorText } from '../errors.ts';
import { listen } from '../io/listen.ts';
import type { Address } from '../options/index.ts';
import type { Health, Probe } from './health.ts';
import { Registry } from './metrics.ts';

const PROBES: Readonly<Record<string, Probe>> = {
  '/startupz': 'startup',
  '/readyz': 'ready',
  '/livez': 'live',
};

/** The server of the admin port: three probes and the metrics, GET and HEAD only. */
export function createAdminServer(health: Health, registry: Registry): Server {
  // Short limits: only the kubelet and Prometheus call here.
  const server = createServer(
    { headersTimeout: 5000, requestTimeout: 5000, maxHeaderSize: 16_384 },
    (request, response) => {
      const path = (request.url ?? '').split('?', 1)[0] ?? '';
      const probe = PROBES[path];
      const known = probe !== undefined || path === '/metrics';
      if (known && request.method !== 'GET' && request.method !== 'HEAD') {
        response.writeHead(405, { allow: 'GET, HEAD' }).end();
      } else if (probe !== undefined) {
        const report = health.report(probe);
        const body = `${JSON.stringify(report)}\n`;
        response
          .writeHead(report.status === 'ok' ? 200 : 503, {
            'content-type': 'application/json',
            'cache-control': 'no-store',
            'content-length': Buffer.byteLength(body),
          })
          .end(body);
      } else if (path === '/metrics') {
        const { status, type, body } = rendered(registry);
        response.writeHead(status, { 'content-type': type }).end(body);
      } else {
        response
          .writeHead(404, { 'content-type': 'text/plain' })
          .end(`no such page: try ${Object.keys(PROBES).join(', ')} or /metrics\n`);
      }
    },
  );
  server.maxConnections = 256;
  return server;
}

/** A metric that cannot be collected must not end the process that it measures. */
function rendered(registry: Registry) {
  try {
    return { status: 200, type: Registry.contentType, body: registry.render() };
  } catch (error) {
    return { status: 500, type: 'text/plain', body: `${errorText(error)}\n` };
  }
}

/** Serves the admin port. @throws {ExpectedError} where the address is taken or not ours. */
export async function startAdminServer(
  address: Address,
  health: Health,
  registry: Registry,
): Promise<{ readonly port: number; close(): Promise<void> }> {
  const server = createAdminServer(health, registry);
  await listen(server, address, '--admin');
  return {
    port: (server.address() as AddressInfo | null)?.port ?? 0,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
