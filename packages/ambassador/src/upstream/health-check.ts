import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import net from 'node:net';
import tls from 'node:tls';
import type { Log } from '@sidekit/core';
import type { Endpoint } from './endpoint.ts';

export interface HealthCheckOptions {
  /** Requested with GET; without a path, a successful connect is enough. */
  readonly path: string | undefined;
  readonly interval: number;
  readonly timeout: number;
  /** Failures in a row that make it unhealthy, and successes that make it healthy. */
  readonly failures: number;
  readonly successes: number;
}

const streaks = new WeakMap<Endpoint, number>();

/** Checks one endpoint once and updates its health. Never rejects. */
export async function checkHealth(
  endpoint: Endpoint,
  options: HealthCheckOptions,
  log: Log,
): Promise<void> {
  const problem = await (options.path === undefined
    ? connects(endpoint, options.timeout)
    : responds(endpoint, options.path, options.timeout));
  const good = problem === undefined;
  if (good === endpoint.healthy) {
    streaks.set(endpoint, 0);
    return;
  }
  const streak = (streaks.get(endpoint) ?? 0) + 1;
  streaks.set(endpoint, streak);
  if (streak < (good ? options.successes : options.failures)) return;
  streaks.set(endpoint, 0);
  endpoint.healthy = good;
  if (good) log.info('endpoint healthy', { event: 'endpoint_healthy', endpoint: endpoint.name });
  else
    log.warn('endpoint unhealthy', {
      event: 'endpoint_unhealthy',
      endpoint: endpoint.name,
      reason: problem,
    });
}

function responds(endpoint: Endpoint, path: string, timeout: number): Promise<string | undefined> {
  if ('http2' in endpoint.target) return respondsHttp2(endpoint, path, timeout);
  const target = { ...endpoint.target } as Record<string, unknown>;
  const { path: socketPath, secure, ...rest } = target;
  return new Promise((resolve) => {
    const request = (secure ? https : http).get({
      ...rest,
      ...(socketPath === undefined ? {} : { socketPath: String(socketPath) }),
      path,
      agent: false,
      timeout,
      signal: AbortSignal.timeout(timeout),
      headers: {
        host: endpoint.name.startsWith('unix:') ? 'localhost' : endpoint.name,
        connection: 'close',
      },
    });
    request.on('error', (error) => resolve(error.message));
    request.on('response', (response) => {
      const status = response.statusCode ?? 0;
      response.destroy();
      resolve(status >= 200 && status < 400 ? undefined : `status ${status}`);
    });
  });
}

function respondsHttp2(
  endpoint: Endpoint,
  path: string,
  timeout: number,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const session = http2.connect('http://upstream', {
      createConnection: () => net.connect(endpoint.target as net.NetConnectOpts),
    });
    const done = (problem: string | undefined) => {
      clearTimeout(late);
      session.destroy();
      resolve(problem);
    };
    const late = setTimeout(() => done('timeout'), timeout);
    session.on('error', (error: Error) => done(error.message));
    const stream = session.request({ ':path': path, ':authority': endpoint.name });
    stream.on('error', (error: Error) => done(error.message));
    stream.on('response', (fields) => {
      const status = Number(fields[':status']);
      done(status >= 200 && status < 400 ? undefined : `status ${status}`);
    });
  });
}

function connects(endpoint: Endpoint, timeout: number): Promise<string | undefined> {
  const { target } = endpoint;
  return new Promise((resolve) => {
    const socket = 'secure' in target ? tls.connect(target) : net.connect(target);
    const done = (problem: string | undefined) => {
      socket.destroy();
      resolve(problem);
    };
    socket.setTimeout(timeout, () => done('timeout'));
    socket.once('error', (error) => done(error.message));
    socket.once('secure' in target ? 'secureConnect' : 'connect', () => done(undefined));
  });
}
