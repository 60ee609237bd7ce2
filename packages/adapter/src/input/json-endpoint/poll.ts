import http from 'node:http';
import https from 'node:https';
import {
  errorText,
  type Health,
  type Log,
  monotonic,
  type OptionValues,
  pause,
  type Registry,
  send,
  throttle,
} from '@sidekit/core';
import type { jsonEndpointOptions } from '../../options/json-endpoints.ts';
import { Secured } from '../../output/credentials.ts';
import { withBoundedDepth } from '../../parse/depth.ts';
import { PublishedSamples } from './published.ts';
import { type DropCause, type Sample, sampleReader } from './samples.ts';

type Endpoint = OptionValues<typeof jsonEndpointOptions>['jsonEndpoints'][number];

interface Parts {
  readonly options: OptionValues<typeof jsonEndpointOptions>;
  readonly log: Log;
  readonly metrics: Registry;
  readonly health: Health;
  readonly stopping: AbortSignal;
}

/** Samples are kept for this many intervals without an answer, so that one lost answer is no gap. */
const PATIENCE = 3;
const LOG_INTERVAL = 60_000;

/**
 * Polls all JSON endpoints until `stopping` aborts; undefined if there are none. An endpoint that
 * fails is a warning in `/readyz`, and affects no other.
 * @returns the end of all polling.
 */
export function pollEndpoints(parts: Parts): Promise<unknown> | undefined {
  const { options, metrics } = parts;
  if (options.jsonEndpoints.length === 0) return undefined;
  const up = metrics.gauges({
    name: 'adapter_json_endpoint_up',
    help: 'Whether the last poll of a JSON endpoint succeeded.',
  });
  const dropped = metrics.counters({
    name: 'adapter_json_dropped_values_total',
    help: 'Values of JSON endpoints left out, by cause.',
  });
  return Promise.all(
    options.jsonEndpoints.map((endpoint) => {
      const name = nameOf(endpoint.url);
      return poll(endpoint, name, {
        ...parts,
        isUp: (is) => up.with({ endpoint: name }).set(is ? 1 : 0),
        onDrop: (cause) => dropped.with({ endpoint: name, cause }).inc(),
      });
    }),
  );
}

interface PollParts extends Parts {
  readonly isUp: (is: boolean) => void;
  readonly onDrop: (cause: DropCause) => void;
}

async function poll(endpoint: Endpoint, name: string, parts: PollParts): Promise<void> {
  const { log, metrics, health, stopping, isUp, onDrop } = parts;
  const { url, interval, maxSeries } = endpoint;
  const warning = health.warning(`json endpoint ${name}`);
  const published = new PublishedSamples(metrics, endpoint.metrics);
  const readers = endpoint.metrics.map((spec) => sampleReader(spec, onDrop));
  const { Agent } = new URL(url).protocol === 'https:' ? https : http;
  const secured = new Secured(endpoint, (tls) => new Agent({ keepAlive: true, ...tls }));
  let failure = '';
  const logFailure = throttle(LOG_INTERVAL, (suppressed) =>
    log.warn('a JSON endpoint cannot be polled; trying again', {
      event: 'json_poll_failed',
      endpoint: name,
      error: failure,
      suppressed,
    }),
  );
  let succeeded = monotonic();
  while (!stopping.aborted) {
    try {
      const document = await fetchDocument(endpoint, secured, stopping);
      const samples = new Map<string, Sample>();
      let isOverLimit = false;
      for (const read of readers) {
        read(document, (sample) => {
          const key = `${sample.name} ${JSON.stringify(sample.labels)}`;
          if (samples.has(key)) onDrop('duplicate');
          else if (samples.size < maxSeries) samples.set(key, sample);
          else {
            isOverLimit = true;
            onDrop('limit');
          }
        });
      }
      published.replace(samples);
      succeeded = monotonic();
      if (isOverLimit) warning.set(`has more than ${maxSeries} series`);
      else warning.clear();
      isUp(true);
    } catch (error) {
      if (stopping.aborted) break;
      failure = errorText(error);
      warning.set(failure);
      isUp(false);
      logFailure();
      if (monotonic() - succeeded >= PATIENCE * interval) published.replace(new Map());
    }
    await pause(interval, stopping);
  }
  secured.close();
}

async function fetchDocument(
  { url, headers, timeout, maxBytes }: Endpoint,
  secured: Secured,
  signal: AbortSignal,
): Promise<unknown> {
  const {
    status,
    headers: given,
    body,
  } = await send(url, {
    headers: {
      accept: 'application/json',
      'accept-encoding': 'identity',
      ...headers,
      ...secured.headers(),
    },
    timeout,
    limit: maxBytes,
    agent: secured.agent(),
    signal,
  });
  if (status < 200 || status > 299) throw new Error(`the answer has the status ${status}`);
  const encoding = given['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') {
    throw new Error(`the answer has the encoding ${encoding}, which was not asked for`);
  }
  try {
    return JSON.parse(withBoundedDepth(textOf(body))) as unknown;
  } catch {
    throw new Error('the answer is not JSON');
  }
}

/** Decodes UTF-8; a byte order mark, which RFC 8259 lets a reader ignore, is left out. */
function textOf(body: Buffer): string {
  return new TextDecoder().decode(body);
}

/** The URL without what may be secret: it is logged, and a label. */
function nameOf(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}
