import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { errorText } from '../errors.ts';
import { listen } from '../io/listen.ts';
import type { Address } from '../options/index.ts';
import { AdminEndpoints } from './admin-endpoints.ts';
import type { Health, Probe } from './health.ts';
import { CONTENT_TYPES, type MetricsFormat, negotiateFormat, type Registry } from './metrics.ts';

const PROBES: Readonly<Record<string, Probe>> = {
  '/startupz': 'startup',
  '/readyz': 'ready',
  '/livez': 'live',
};

/** Creates the server of the admin port: three probes, the metrics, and a sidecar's endpoints. */
export function createAdminServer(
  health: Health,
  registry: Registry,
  endpoints: AdminEndpoints = new AdminEndpoints(),
): Server {
  // Short limits: only the kubelet and Prometheus call here.
  const server = createServer(
    {
      headersTimeout: 5000,
      requestTimeout: 5000,
      // Otherwise Node checks for late requests every 30 s only.
      connectionsCheckingInterval: 5000,
      maxHeaderSize: 16_384,
    },
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
        const format = negotiateFormat(request.headers.accept);
        const { status, type, body } = rendered(registry, format);
        response.writeHead(status, { 'content-type': type, vary: 'accept' }).end(body);
      } else if (!endpoints.handle(path, request, response)) {
        response
          .writeHead(404, { 'content-type': 'text/plain' })
          .end(
            `no such page: try ${[...Object.keys(PROBES), ...endpoints.paths].join(', ')} or /metrics\n`,
          );
      }
    },
  );
  server.maxConnections = 256;
  return server;
}

/** A metric that cannot be collected must not end the process that it measures. */
function rendered(registry: Registry, format: MetricsFormat) {
  try {
    return { status: 200, type: CONTENT_TYPES[format], body: registry.render(format) };
  } catch (error) {
    return { status: 500, type: 'text/plain', body: `${errorText(error)}\n` };
  }
}

/** Serves the admin port. @throws {ExpectedError} if the address is taken or not of this host. */
export async function startAdminServer(
  address: Address,
  health: Health,
  registry: Registry,
  endpoints?: AdminEndpoints,
): Promise<{ readonly port: number; close(): Promise<void> }> {
  const server = createAdminServer(health, registry, endpoints);
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
