import assert from 'node:assert/strict';
import type http from 'node:http';
import { test } from 'node:test';
import { createLog } from '@sidekit/core';
import { eventually, freePort } from '@sidekit/test-kit';
import { SpanExporter } from '../observe/span-exporter.ts';
import { framed } from '../testing/grpc.ts';
import { Http2Client } from '../testing/http2-client.ts';
import { Http2Upstream } from '../testing/http2-upstream.ts';
import { TestProxy } from '../testing/proxy.ts';
import { request, TestUpstream } from '../testing/upstream.ts';

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly status: { readonly code?: number };
  readonly attributes: readonly { key: string; value: Record<string, string> }[];
}

/** A collector of OTLP/HTTP, which responds with `status` and keeps what it took. */
class Collector implements AsyncDisposable {
  readonly spans: Span[] = [];
  readonly bodies: { resourceSpans: { resource: unknown; scopeSpans: { spans: Span[] }[] }[] }[] =
    [];
  status = 200;
  answer = '{}';
  requests = 0;
  readonly #server: TestUpstream;

  private constructor(server: TestUpstream) {
    this.#server = server;
  }

  static async start(port = 0): Promise<Collector> {
    let collector: Collector;
    const server = await TestUpstream.start((incoming, response) => {
      let text = '';
      incoming.on('data', (chunk) => (text += chunk));
      incoming.on('end', () => collector.#take(text, response));
    }, port);
    collector = new Collector(server);
    return collector;
  }

  #take(text: string, response: http.ServerResponse) {
    this.requests++;
    if (this.status === 200) {
      const body = JSON.parse(text);
      this.bodies.push(body);
      this.spans.push(...body.resourceSpans[0].scopeSpans[0].spans);
    }
    response.writeHead(this.status, { 'content-type': 'application/json' }).end(this.answer);
  }

  get endpoint(): string {
    return `${this.#server.url}/v1/traces`;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#server[Symbol.asyncDispose]();
  }
}

const SENT = 'ambassador_spans_sent_total';
const DROPPED = 'ambassador_spans_dropped_total';
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const CLIENT = '00f067aa0ba902b7';

/** Returns the attributes of a span as an object. */
const attributes = ({ attributes: all }: Span) =>
  Object.fromEntries(all.map(({ key, value }) => [key, Object.values(value)[0]]));

test('a span continues the trace of a client, and its own is the parent upstream', async () => {
  const seen: http.IncomingHttpHeaders[] = [];
  await using upstream = await TestUpstream.start(({ headers }, response) => {
    seen.push(headers);
    response.writeHead(500).end();
  });
  await using collector = await Collector.start();
  await using proxy = await TestProxy.start({
    upstream: [upstream.url],
    tracesEndpoint: collector.endpoint,
    tracesService: 'shop',
    tracesRatio: 0,
  });
  const before = BigInt(Date.now()) * 1_000_000n;
  const headers = { traceparent: `00-${TRACE}-${CLIENT}-01`, tracestate: 'a=b' };
  await request(`${proxy.url}/orders?token=secret`, { headers });
  await eventually(() => collector.spans.length === 1, { what: 'the span' });
  const [span] = collector.spans;
  assert.deepEqual([span!.traceId, span!.parentSpanId], [TRACE, CLIENT]);
  assert.equal(seen[0]!.traceparent, `00-${TRACE}-${span!.spanId}-01`);
  assert.notEqual(span!.spanId, CLIENT);
  assert.equal(seen[0]!.tracestate, 'a=b');
  assert.deepEqual([span!.name, span!.kind, span!.status.code], ['GET', 2, 2]);
  const found = attributes(span!);
  assert.equal(found['url.path'], '/orders');
  assert.equal(found['http.response.status_code'], '500');
  assert.equal(found['client.address'], '127.0.0.1');
  assert.ok(!JSON.stringify(collector.bodies).includes('secret'));
  assert.match(JSON.stringify(collector.bodies[0]), /"service\.name".*"shop"/);
  const [start, end] = [BigInt(span!.startTimeUnixNano), BigInt(span!.endTimeUnixNano)];
  assert.ok(start >= before - 5_000_000n && end >= start, `${before} ${start} ${end}`);
  await eventually(() => proxy.metric(SENT) === 1, { what: 'the metric' });

  // Neither a trace that its client does not sample, nor one of a ratio of 0.
  await request(proxy.url, { headers: { traceparent: `00-${TRACE}-${CLIENT}-00` } });
  await request(proxy.url);
  await request(proxy.url, { headers });
  await eventually(() => collector.spans.length === 2, { what: 'only the sampled one' });
  assert.equal(seen[1]!.traceparent, `00-${TRACE}-${CLIENT}-00`);
  assert.match(String(seen[2]!.traceparent), /-00$/);
});

test('a gRPC call has its status, and a new trace no parent', async () => {
  await using upstream = await Http2Upstream.start((stream) => {
    stream.resume();
    stream.respond(
      { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '13' },
      { endStream: true },
    );
  });
  await using collector = await Collector.start();
  await using proxy = await TestProxy.start({
    upstream: [upstream.url],
    tracesEndpoint: collector.endpoint,
    tracesRatio: 1,
  });
  using client = await Http2Client.connect(proxy.url);
  const call = { ':method': 'POST', ':path': '/a.B/C', 'content-type': 'application/grpc' };
  await client.request(call, framed('x'));
  await eventually(() => collector.spans.length === 1, { what: 'the span' });
  const [span] = collector.spans;
  assert.equal(span!.parentSpanId, undefined);
  assert.equal(attributes(span!)['rpc.grpc.status_code'], '13');
  assert.equal(span!.status.code, 2);
});

test('a collector that is away costs spans beyond a bound only, each of them counted', async () => {
  const port = await freePort();
  const counts = { sent: 0, dropped: 0 };
  const reasons = new Set<string>();
  const exporter = new SpanExporter(`http://127.0.0.1:${port}/v1/traces`, 'test', {
    sent: (spans) => (counts.sent += spans),
    dropped: (spans, reason) => {
      counts.dropped += spans;
      reasons.add(reason);
    },
  });
  for (let i = 0; i < 2100; i++) exporter.add(`{"name":"${i}"}`);
  assert.deepEqual(counts, { sent: 0, dropped: 2100 - 2048 });
  await eventually(() => [...reasons].some((reason) => reason.includes('ECONNREFUSED')), {
    what: 'a failure',
  });
  await using collector = await Collector.start(port);
  await eventually(() => collector.spans.length === 2048, { what: 'the rest' });
  for (const { resourceSpans } of collector.bodies)
    assert.ok(resourceSpans[0]!.scopeSpans[0]!.spans.length <= 256);
  assert.deepEqual(
    collector.spans.map(({ name }) => Number(name)),
    Array.from({ length: 2048 }, (_, i) => i),
  );
  exporter.add('{"name":"last"}');
  await exporter.close();
  assert.equal(collector.spans.at(-1)!.name, 'last', 'a stop sends what waits');
  assert.deepEqual(counts, { sent: 2049, dropped: 52 });
});

test('spans that a collector refuses are dropped and counted, and wanted again if it is busy', async () => {
  await using upstream = await TestUpstream.start((_incoming, response) => response.end());
  await using collector = await Collector.start();
  const events: string[] = [];
  const log = createLog({
    name: 'test',
    write: (line: string) => events.push(JSON.parse(line).event),
  });
  await using proxy = await TestProxy.start(
    { upstream: [upstream.url], tracesEndpoint: collector.endpoint, tracesRatio: 1 },
    log,
  );
  collector.status = 400;
  await request(proxy.url);
  await eventually(() => proxy.metric(DROPPED) === 1, { what: 'the drop' });
  collector.status = 503;
  const before = collector.requests;
  await request(proxy.url);
  await eventually(() => collector.requests > before, { what: 'a try' });
  await eventually(() => events.includes('spans_not_sent'), { what: 'a log record' });
  collector.status = 200;
  collector.answer = '{"partialSuccess":{"rejectedSpans":"1"}}';
  await eventually(() => proxy.metric(DROPPED) === 2, {
    what: 'a partial success',
  });
  assert.equal(proxy.metric(SENT), 0);
  assert.equal(collector.spans.length, 1);
});
