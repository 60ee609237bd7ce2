import type { SecureContextOptions } from 'node:tls';
import type { Counter, Family, Health, Log, Registry } from '@sidekit/core';
import { ClientRateLimit } from '../exchange/client-rate-limit.ts';
import type { Sampling } from '../exchange/identifiers.ts';
import { randomText } from '../exchange/random-text.ts';
import { RateLimit } from '../exchange/rate-limit.ts';
import { RetryBudget } from '../exchange/retry-budget.ts';
import type { Runtime } from '../exchange/runtime.ts';
import type { HeaderRules } from '../http/header-rules.ts';
import { budgetFor, MemoryBudget, memoryLimit } from '../memory/memory-budget.ts';
import { ReadBufferPool } from '../memory/read-buffer.ts';
import { AccessLog } from '../observe/access-log.ts';
import { accessLogReport } from '../observe/access-log-report.ts';
import { Observer, type ProxyMetrics, proxyMetrics } from '../observe/observer.ts';
import { SpanExporter } from '../observe/span-exporter.ts';
import { spanReport } from '../observe/span-report.ts';
import { membership } from '../options/network.ts';
import type { ListenerOptions, Options } from '../options/table.ts';
import type { TcpOptions } from '../tcp/tcp-handler.ts';
import type { Clock } from '../time/clock.ts';
import { Cluster, systemLookup } from '../upstream/cluster.ts';
import type { UpstreamResources } from '../upstream/target.ts';
import type { Variables } from './header-values.ts';

/** The header rules of a listener, if it has any. */
export interface ListenerRules {
  readonly request: HeaderRules | undefined;
  readonly response: HeaderRules | undefined;
}

/** Everything that survives a reload. */
export interface Environment extends UpstreamResources {
  readonly log: Log;
  readonly metrics: ProxyMetrics;
  readonly tcpMetrics: ReturnType<typeof tcpMetrics>;
  readonly gateRefusals: Family<Counter>;
  readonly accessLog: AccessLog | undefined;
  readonly spans: SpanExporter | undefined;
  readonly sampling: Sampling | undefined;
  readonly fastLane: boolean;
  readonly variables: Variables;
  /** Tells this process from others in Via. */
  readonly instance: string;
}

/**
 * Builds the environment.
 * @param limit of the container's memory, in bytes.
 * @throws {ExpectedError} if the access log cannot be opened.
 */
export function environment(
  options: Options,
  clock: Clock,
  { log, metrics: registry, health }: { log: Log; metrics: Registry; health: Health },
  variables: Variables = {},
  limit: number | undefined = memoryLimit(),
): Environment {
  const { accessLog: select } = options;
  const memory = new MemoryBudget(budgetFor(limit, process.memoryUsage.rss()));
  return {
    clock,
    memory,
    pool: new ReadBufferPool(memory),
    log,
    metrics: proxyMetrics(registry),
    tcpMetrics: tcpMetrics(registry),
    gateRefusals: registry.counters({
      name: 'ambassador_proxy_protocol_refused_total',
      help: 'Connections closed because of the PROXY protocol, by cause.',
    }),
    fastLane: options.fastLane,
    variables,
    spans:
      options.tracesEndpoint === undefined
        ? undefined
        : new SpanExporter(
            options.tracesEndpoint,
            options.tracesService,
            spanReport(registry, health, log),
          ),
    sampling: options.tracesEndpoint === undefined ? undefined : { ratio: options.tracesRatio },
    instance: randomText('xxxxxxxx')(),
    accessLog:
      select === 'off'
        ? undefined
        : new AccessLog(
            {
              select,
              format: options.accessLogFormat,
              sample: options.accessLogSample,
              path: options.accessLogFile,
            },
            log,
            accessLogReport(registry, health),
          ),
  };
}

function tcpMetrics(registry: Registry) {
  return {
    active: registry.gauges({
      name: 'ambassador_tcp_active_connections',
      help: 'Spliced connections.',
    }),
    failures: registry.counters({
      name: 'ambassador_tcp_connect_failures_total',
      help: 'Failed connects to an upstream.',
    }),
    received: registry.counters({
      name: 'ambassador_tcp_received_bytes_total',
      help: 'Bytes from clients.',
    }),
    sent: registry.counters({
      name: 'ambassador_tcp_sent_bytes_total',
      help: 'Bytes to clients.',
    }),
  };
}

function cluster(options: ListenerOptions, tls: SecureContextOptions, env: Environment): Cluster {
  return new Cluster(
    {
      upstreams: options.upstream,
      balance: options.balance,
      dnsRefresh: options.dnsRefresh,
      lookup: systemLookup,
      ejection: { failures: options.ejectAfter, time: options.ejectFor },
      healthCheck:
        options.healthInterval === 0 &&
        options.healthPath === undefined &&
        options.healthGrpcService === undefined
          ? undefined
          : {
              path: options.healthPath,
              grpcService: options.healthGrpcService,
              interval: options.healthInterval || 5000,
              timeout: options.healthTimeout,
              failures: 3,
              successes: 2,
            },
      limits: {
        maxConnections: options.maxUpstreamConnections,
        maxPending: options.maxPending,
        idleTimeout: options.upstreamIdleTimeout,
        maxLifetime: options.upstreamMaxLifetime,
        connectTimeout: options.connectTimeout,
        maxHead: options.maxHeadSize,
        maxFields: options.maxFields,
      },
      tls: (host) => {
        const name = options.upstreamServerName ?? host;
        return {
          ...tls,
          ...(name === undefined || /^[\d.]+$|:/.test(name) ? {} : { servername: name }),
          ...(options.protocol === 'http' ? { ALPNProtocols: ['h2', 'http/1.1'] } : {}),
        };
      },
    },
    env,
    env.log,
  );
}

/** Builds the runtime of an http listener. */
export function httpRuntime(
  options: ListenerOptions,
  tls: SecureContextOptions,
  rules: ListenerRules,
  env: Environment,
): Runtime {
  const upstreams = cluster(options, tls, env);
  return {
    routes: undefined,
    stripPrefix: '',
    name: options.name,
    clock: env.clock,
    memory: env.memory,
    cluster: upstreams,
    timeouts: {
      headers: options.headersTimeout,
      keepAlive: options.keepAliveTimeout,
      response: options.responseTimeout,
      streamIdle: options.streamIdleTimeout,
      queue: options.connectTimeout + options.retryConnectFor,
      total: options.totalTimeout,
    },
    retry: { connectFor: options.retryConnectFor },
    retryBudget: new RetryBudget(options.retryBudget, 10),
    idempotent: options.idempotent,
    rateLimit:
      options.rateLimit === undefined
        ? undefined
        : new RateLimit(options.rateLimit, options.rateBurst),
    clientRateLimit:
      options.clientRateLimit === undefined
        ? undefined
        : new ClientRateLimit(options.clientRateLimit, options.clientRateBurst),
    clientRateHeader: options.clientRateHeader?.toLowerCase(),
    maxBody: options.maxBody,
    maxHead: options.maxHeadSize,
    maxFields: options.maxFields,
    clientNames: new Set(options.clientNames),
    grpcWeb: upstreams.speaksHttp2 || (options.grpcWebOrigins.length > 0 && upstreams.offersHttp2),
    grpcWebOrigins: new Set(options.grpcWebOrigins),
    requestHeaders: rules.request,
    responseHeaders: rules.response,
    observer: new Observer(options.name, env.metrics, env, env.log),
    hostHeader: options.hostHeader,
    via: `ambassador-${env.instance}-${options.name}`,
    verifiesClients: options.tlsClientCa !== undefined,
    trusts: membership(options.trustedProxies),
    fastLane: env.fastLane,
    sampling: env.sampling,
  };
}

/** Builds the options of a tcp listener. */
export function tcpOptions(
  options: ListenerOptions,
  tls: SecureContextOptions,
  env: Environment,
): TcpOptions {
  const label = { listener: options.name };
  return {
    name: options.name,
    cluster: cluster(options, tls, env),
    clock: env.clock,
    memory: env.memory,
    pool: env.pool,
    log: env.log,
    connectTimeout: options.connectTimeout,
    idleTimeout: options.streamIdleTimeout,
    warm: options.warmConnections,
    metrics: {
      active: env.tcpMetrics.active.with(label),
      failures: env.tcpMetrics.failures.with(label),
      received: env.tcpMetrics.received.with(label),
      sent: env.tcpMetrics.sent.with(label),
    },
  };
}
