import {
  type Counter,
  type Family,
  type Gauge,
  type Histogram,
  type Log,
  type Registry,
  throttle,
} from '@sidekit/core';
import { GRPC_STATUSES } from '../grpc/status.ts';
import { KNOWN_METHODS } from '../http/methods.ts';
import type { AccessLog } from './access-log.ts';
import type { ExchangeRecord } from './exchange-record.ts';
import { encodeSpan } from './span.ts';
import type { SpanExporter } from './span-exporter.ts';

/** The metric families of the proxy, shared by all listeners (OpenTelemetry's HTTP names). */
export interface ProxyMetrics {
  readonly durations: Family<Histogram>;
  readonly active: Family<Gauge>;
  readonly calls: Family<Histogram>;
  readonly upstreamDurations: Family<Histogram>;
  readonly retries: Family<Counter>;
  readonly failures: Family<Counter>;
}

export function proxyMetrics(registry: Registry): ProxyMetrics {
  return {
    durations: registry.histograms({
      name: 'http_server_request_duration_seconds',
      help: 'Time from a request to the end of its response.',
    }),
    active: registry.gauges({
      name: 'http_server_active_requests',
      help: 'Requests in progress.',
    }),
    calls: registry.histograms({
      name: 'rpc_server_call_duration_seconds',
      help: 'Time of gRPC calls, by the status that the client got.',
    }),
    upstreamDurations: registry.histograms({
      name: 'http_client_request_duration_seconds',
      help: 'Time of requests that got a response from an upstream, retries included.',
    }),
    retries: registry.counters({
      name: 'ambassador_retries_total',
      help: 'Retries of requests.',
    }),
    failures: registry.counters({
      name: 'ambassador_upstream_failures_total',
      help: 'Requests that failed at an upstream, by Envoy-style flag.',
    }),
  };
}

/** Places that get a record of each exchange. */
export interface ExchangeOutputs {
  readonly accessLog: AccessLog | undefined;
  readonly spans: SpanExporter | undefined;
}

/** Counts, times and logs the exchanges of one listener. */
export class Observer {
  readonly retries: Counter;
  readonly #listener: string;
  readonly #metrics: ProxyMetrics;
  readonly #active: Gauge;
  readonly #handles = new Map<string, Histogram[]>();
  readonly #upstream: Histogram;
  /** By the gRPC code. */
  readonly #calls: Histogram[] = [];
  readonly #accessLog: AccessLog | undefined;
  readonly #spans: SpanExporter | undefined;
  readonly #log: Log;
  readonly #warn: () => void;
  #last: Record<string, unknown> = {};

  constructor(
    listener: string,
    metrics: ProxyMetrics,
    { accessLog, spans }: ExchangeOutputs,
    log: Log,
  ) {
    this.#spans = spans;
    this.#listener = listener;
    this.#metrics = metrics;
    this.#active = metrics.active.with({ listener });
    this.#upstream = metrics.upstreamDurations.with({ listener });
    this.retries = metrics.retries.with({ listener });
    this.#accessLog = accessLog;
    this.#log = log;
    this.#warn = throttle(1000, (suppressed) =>
      this.#log.warn('request failed', {
        event: 'request_failed',
        ...this.#last,
        ...(suppressed > 0 ? { suppressed } : {}),
      }),
    );
  }

  begin(): void {
    this.#active.inc();
  }

  end(exchange: ExchangeRecord): void {
    const seconds = (performance.now() - exchange.startedAt) / 1000;
    this.#active.dec();
    this.#handle(exchange.head.method, exchange.status).observe(seconds);
    if (exchange.grpcStatus !== undefined) this.#call(exchange.grpcStatus).observe(seconds);
    if (this.#spans !== undefined && exchange.ids.span !== undefined)
      this.#spans.add(encodeSpan(exchange, performance.now()));
    if (exchange.flags === '') this.#upstream.observe(seconds);
    this.#accessLog?.write(exchange, seconds);
  }

  /** Counts a request that was refused before it became an exchange. */
  refused(method: string, status: number): void {
    this.#handle(method, status).observe(0);
  }

  failed(exchange: ExchangeRecord, reason: string): void {
    this.#metrics.failures.with({ listener: this.#listener, flag: exchange.flags }).inc();
    this.#last = {
      listener: this.#listener,
      status: exchange.status,
      flag: exchange.flags,
      endpoint: exchange.endpoint?.name,
      reason,
      requestId: exchange.ids.requestId,
    };
    this.#warn();
  }

  #call(code: number): Histogram {
    this.#calls[code] ??= this.#metrics.calls.with({
      listener: this.#listener,
      rpc_response_status_code: GRPC_STATUSES[code] ?? 'UNKNOWN',
    });
    return this.#calls[code];
  }

  /** Returns the handle of a method and status, without building label text. */
  #handle(method: string, status: number): Histogram {
    let byStatus = this.#handles.get(method);
    if (byStatus === undefined) {
      // Other methods share one label, so that no client can create label sets.
      const known = KNOWN_METHODS.has(method) ? method : '_OTHER';
      byStatus = this.#handles.get(known) ?? [];
      this.#handles.set(known, byStatus);
      method = known;
    }
    let handle = byStatus[status];
    if (handle === undefined) {
      handle = this.#metrics.durations.with({
        listener: this.#listener,
        http_request_method: method,
        http_response_status_code: String(status),
      });
      byStatus[status] = handle;
    }
    return handle;
  }
}
