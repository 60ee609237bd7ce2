import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { type HttpResponse, retryAfter, send } from '@sidekit/core';
import type { Payload } from './batch.ts';
import { type Encoding, lokiEntries, ndjson, otlpRecords } from './encoding.ts';
import { type Outcome, type Output, RetryError } from './output.ts';

export interface HttpOutputOptions {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** A file whose content is sent as the Authorization header; read for every request. */
  readonly authorizationFile: string | undefined;
  readonly gzip: boolean;
  readonly timeout: number;
}

interface Shape {
  readonly name: string;
  readonly url: string;
  readonly encoding: Encoding;
  readonly contentType: string;
  body(payload: Payload): Buffer;
  readonly retried: (status: number) => boolean;
  readonly success?: (response: HttpResponse) => Outcome;
}

/** Posts batches as JSON lines or as one JSON array. */
export function httpOutput(options: HttpOutputOptions & { format: 'ndjson' | 'json' }): Output {
  return overHttp(options, {
    name: redacted(options.url),
    url: options.url,
    encoding: ndjson,
    contentType: options.format === 'json' ? 'application/json' : 'application/x-ndjson',
    body: options.format === 'json' ? asArray : ({ bytes }) => bytes,
    retried: isTransient,
  });
}

/** Loki's push API (https://grafana.com/docs/loki/latest/reference/loki-http-api/): one stream. */
export function lokiOutput(
  options: HttpOutputOptions & { labels: Readonly<Record<string, string>> },
): Output {
  const head = Buffer.from(`{"streams":[{"stream":${JSON.stringify(options.labels)},"values":[`);
  return overHttp(options, {
    name: `loki:${redacted(options.url)}`,
    url: withPath(options.url, '/loki/api/v1/push'),
    encoding: lokiEntries,
    contentType: 'application/json',
    body: ({ buffer, length }) =>
      Buffer.concat([head, buffer.subarray(0, length - 1), Buffer.from(']}]}')]),
    retried: isTransient,
  });
}

/** OTLP/HTTP in JSON (https://opentelemetry.io/docs/specs/otlp/#otlphttp). */
export function otlpOutput(
  options: HttpOutputOptions & { resource: Readonly<Record<string, string>> },
): Output {
  const attributes = Object.entries(options.resource).map(([key, value]) => ({
    key,
    value: { stringValue: value },
  }));
  const head = Buffer.from(
    `{"resourceLogs":[{"resource":${JSON.stringify({ attributes })},"scopeLogs":[{"scope":{"name":"sidekit/adapter"},"logRecords":[`,
  );
  return overHttp(options, {
    name: `otlp:${redacted(options.url)}`,
    url: withPath(options.url, '/v1/logs'),
    encoding: otlpRecords,
    contentType: 'application/json',
    body: ({ buffer, length }) =>
      Buffer.concat([head, buffer.subarray(0, length - 1), Buffer.from(']}]}]}')]),
    // "Retryable response codes" are these four and no other.
    retried: (status) => status === 429 || (status >= 502 && status <= 504),
    success: partialSuccess,
  });
}

function overHttp(options: HttpOutputOptions, shape: Shape): Output {
  const { protocol } = new URL(shape.url);
  const agent = new (protocol === 'https:' ? https : http).Agent({
    keepAlive: true,
    maxSockets: 1,
  });
  return {
    name: shape.name,
    encoding: shape.encoding,
    deliver: async (payload, _count, signal) => {
      const plain = shape.body(payload);
      const body = options.gzip ? await promisify(gzip)(plain) : plain;
      const response = await send(shape.url, {
        method: 'POST',
        headers: {
          'content-type': shape.contentType,
          ...(options.gzip ? { 'content-encoding': 'gzip' } : {}),
          ...options.headers,
          ...authorization(options.authorizationFile),
        },
        body,
        timeout: options.timeout,
        agent,
        signal,
      });
      const { status } = response;
      if (status >= 200 && status < 300) return shape.success?.(response) ?? {};
      const reason = `${status} ${response.body.toString('utf8').slice(0, 200).trim()}`.trim();
      if (shape.retried(status)) {
        throw new RetryError(reason, retryAfter(response.headers['retry-after']));
      }
      return { refused: reason };
    },
    close: async () => agent.destroy(),
  };
}

function isTransient(status: number): boolean {
  return status === 408 || status === 425 || status === 429 || status >= 500;
}

/** Reads a partial success, which must not be retried: rejected records are only reported. */
function partialSuccess({ body }: HttpResponse): Outcome {
  try {
    const { partialSuccess: partial } = JSON.parse(body.toString('utf8')) as {
      partialSuccess?: { rejectedLogRecords?: number | string; errorMessage?: string };
    };
    const rejected = Number(partial?.rejectedLogRecords ?? 0);
    if (rejected > 0 || partial?.errorMessage) {
      return { rejected, warning: `${rejected} rejected: ${partial?.errorMessage ?? ''}`.trim() };
    }
  } catch {
    // An empty body, or one that is not JSON, is a success too.
  }
  return {};
}

/** Converts JSON lines to one array; a line feed occurs only at the end of a line. */
function asArray({ buffer, length }: Payload): Buffer {
  const array = Buffer.allocUnsafe(length + 1);
  array[0] = 0x5b;
  buffer.copy(array, 1, 0, length);
  for (let at = array.indexOf(0x0a); at !== -1; at = array.indexOf(0x0a, at + 1)) array[at] = 0x2c;
  array[length] = 0x5d;
  return array;
}

function authorization(file: string | undefined): Record<string, string> {
  return file === undefined ? {} : { authorization: readFileSync(file, 'utf8').trim() };
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
