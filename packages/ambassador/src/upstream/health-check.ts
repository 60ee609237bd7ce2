import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import net from 'node:net';
import tls from 'node:tls';
import type { Log } from '@sidekit/core';
import { connectHttp2 } from '../http2/connect.ts';
import { keepNativeOnError } from '../http2/keep-native.ts';
import type { Endpoint } from './endpoint.ts';
import { checkGrpcHealth } from './grpc-health.ts';

export interface HealthCheckOptions {
  /** Requested with GET; without a path, a successful connect is enough. */
  readonly path: string | undefined;
  /** Asked for by `grpc.health.v1` instead, over HTTP/2; empty for the whole server. */
  readonly grpcService?: string | undefined;
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
  const problem = await probe(endpoint, options);
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

function probe(endpoint: Endpoint, options: HealthCheckOptions): Promise<string | undefined> {
  const { path, grpcService, timeout } = options;
  if (grpcService !== undefined)
    return overHttp2(endpoint, timeout, (session, done) =>
      checkGrpcHealth(session, authorityOf(endpoint), grpcService, done),
    );
  return path === undefined ? connects(endpoint, timeout) : responds(endpoint, path, timeout);
}

/** Returns a Host for an endpoint. */
function authorityOf({ name }: Endpoint): string {
  return name.startsWith('unix:') ? 'localhost' : name;
}

function responds(endpoint: Endpoint, path: string, timeout: number): Promise<string | undefined> {
  if ('http2' in endpoint.target)
    return overHttp2(endpoint, timeout, (session, done) => {
      const stream = session.request({ ':path': path, ':authority': authorityOf(endpoint) });
      stream.on('error', (error: Error) => done(error.message));
      stream.on('response', (fields) => done(problemOf(Number(fields[':status']))));
    });
  const target = { ...endpoint.target } as Record<string, unknown>;
  const { path: socketPath, secure, ...rest } = target;
  return new Promise((resolve) => {
    const request = (secure ? https : http).get({
      ...rest,
      ...(secure ? { ALPNProtocols: ['http/1.1'] } : {}),
      ...(socketPath === undefined ? {} : { socketPath: String(socketPath) }),
      path,
      agent: false,
      timeout,
      signal: AbortSignal.timeout(timeout),
      headers: {
        host: authorityOf(endpoint),
        connection: 'close',
      },
    });
    request.on('error', (error) => resolve(error.message));
    request.on('response', (response) => {
      response.destroy();
      resolve(problemOf(response.statusCode ?? 0));
    });
  });
}

function problemOf(status: number): string | undefined {
  return status >= 200 && status < 400 ? undefined : `status ${status}`;
}

type Done = (problem: string | undefined) => void;

/** Opens a session for one check. */
function overHttp2(
  endpoint: Endpoint,
  timeout: number,
  check: (session: http2.ClientHttp2Session, done: Done) => void,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const session = http2.connect('http://upstream', {
      createConnection: () => connectHttp2(endpoint.target),
    });
    const done: Done = (problem) => {
      clearTimeout(late);
      session.destroy();
      resolve(problem);
    };
    const late = setTimeout(() => done('timeout'), timeout);
    session.on('error', (error: Error) => done(error.message));
    session.once('connect', () => keepNativeOnError(session));
    check(session, done);
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
