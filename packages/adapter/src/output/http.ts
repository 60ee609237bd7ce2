import http from 'node:http';
import https from 'node:https';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { type HttpResponse, proxyAgent, retryAfter, send } from '@sidekit/core';
import { Body } from './body.ts';
import { type Credentials, Secured } from './credentials.ts';
import { type Encoding, ndjson } from './encoding.ts';
import { type LokiOptions, lokiBody, lokiEntries } from './loki-encoding.ts';
import { otlpRecords } from './otlp-encoding.ts';
import { ACCEPTED, type Outcome, type Output, RetryError } from './output.ts';

export interface HttpOutputOptions extends Credentials {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly gzip: boolean;
  /** For one request, in milliseconds. */
  readonly timeout: number;
}

interface Protocol {
  readonly name: string;
  readonly url: string;
  readonly encoding: Encoding;
  readonly contentType: string;
  /** Builds the body from encoded records. */
  body(lines: Buffer, body: Body): Buffer;
  readonly success?: (response: HttpResponse) => Outcome;
}

/** Posts batches as JSON lines or as one JSON array. */
export function httpOutput(options: HttpOutputOptions & { format: 'ndjson' | 'json' }): Output {
  const array = options.format === 'json';
  return overHttp(options, {
    name: redacted(options.url),
    url: options.url,
    encoding: ndjson,
    contentType: array ? 'application/json' : 'application/x-ndjson',
    body: (lines, body) =>
      array
        ? body
            .start(lines.length + 1)
            .text('[')
            .elements(lines)
            .text(']')
            .done()
        : lines,
  });
}

/** Pushes to Loki (https://grafana.com/docs/loki/latest/reference/loki-http-api/#ingest-logs). */
export function lokiOutput(options: HttpOutputOptions & LokiOptions): Output {
  return overHttp(options, {
    name: `loki:${redacted(options.url)}`,
    url: withPath(options.url, '/loki/api/v1/push'),
    encoding: lokiEntries(options),
    contentType: 'application/json',
    body: lokiBody,
  });
}

/** Posts OTLP/HTTP in JSON (https://opentelemetry.io/docs/specs/otlp/#otlphttp). */
export function otlpOutput(
  options: HttpOutputOptions & { resource: Readonly<Record<string, string>> },
): Output {
  const attributes = Object.entries(options.resource).map(([key, value]) => ({
    key,
    value: { stringValue: value.toWellFormed() },
  }));
  const head = `{"resourceLogs":[{"resource":${JSON.stringify({ attributes })},"scopeLogs":[{"scope":{"name":"sidekit/adapter"},"logRecords":[`;
  const tail = ']}]}]}';
  const around = Buffer.byteLength(head) + tail.length;
  return overHttp(options, {
    name: `otlp:${redacted(options.url)}`,
    url: withPath(options.url, '/v1/logs'),
    encoding: otlpRecords,
    contentType: 'application/json',
    body: (lines, body) =>
      body
        .start(lines.length + around)
        .text(head)
        .elements(lines)
        .text(tail)
        .done(),
    success: partialSuccess,
  });
}

/**
 * The statuses with which a receiver refuses the records themselves. All others, such as 401, 403
 * and 404, are retried: an expired token or an ingress without endpoints must not lose logs.
 */
const REFUSED = new Set([400, 413, 422]);

function overHttp(options: HttpOutputOptions, protocol: Protocol): Output {
  const { Agent } = new URL(protocol.url).protocol === 'https:' ? https : http;
  const secured = new Secured(options, (tls) => {
    const settings = { keepAlive: true, maxSockets: 1, ...tls };
    return proxyAgent(protocol.url, settings) ?? new Agent(settings);
  });
  const scratch = new Body();
  return {
    name: protocol.name,
    encoding: protocol.encoding,
    deliver: async ({ bytes }, signal) => {
      const plain = protocol.body(bytes, scratch);
      const body = options.gzip ? await promisify(gzip)(plain) : plain;
      const response = await send(protocol.url, {
        method: 'POST',
        headers: {
          'content-type': protocol.contentType,
          ...(options.gzip ? { 'content-encoding': 'gzip' } : {}),
          ...options.headers,
          ...secured.headers(),
        },
        body,
        timeout: options.timeout,
        agent: secured.agent(),
        signal,
      });
      const { status } = response;
      if (status >= 200 && status < 300) return protocol.success?.(response) ?? ACCEPTED;
      const reason = `${status} ${response.body.toString('utf8').slice(0, 200).trim()}`.trim();
      if (REFUSED.has(status)) return { accepted: false, reason, tooLarge: status === 413 };
      throw new RetryError(reason, retryAfter(response.headers['retry-after']));
    },
    close: async () => secured.close(),
  };
}

/** Reads a partial success, which must not be retried: rejected records are only reported. */
function partialSuccess({ body }: HttpResponse): Outcome {
  try {
    const { partialSuccess: partial } = JSON.parse(body.toString('utf8')) as {
      partialSuccess?: { rejectedLogRecords?: number | string; errorMessage?: string };
    };
    const rejected = Number(partial?.rejectedLogRecords ?? 0) || 0;
    if (rejected > 0 || partial?.errorMessage) {
      const warning = `${rejected} rejected: ${partial?.errorMessage ?? ''}`.slice(0, 500).trim();
      return { accepted: true, rejected, warning };
    }
  } catch {
    // An empty body, or one that is not JSON, is a success too.
  }
  return ACCEPTED;
}

function withPath(url: string, path: string): string {
  const full = new URL(url);
  if (full.pathname === '/') full.pathname = path;
  return full.href;
}

/** Removes what may be secret: the name is logged and used as a label. */
function redacted(url: string): string {
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}`;
}
