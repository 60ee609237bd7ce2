import assert from 'node:assert/strict';
import { test } from 'node:test';
import { propertyParameters } from '@sidekit/test-kit';
import fc from 'fast-check';
import { Http2Client } from '../testing/http2-client.ts';
import { Http2Upstream } from '../testing/http2-upstream.ts';
import { TestProxy } from '../testing/proxy.ts';
import { request, TestUpstream } from '../testing/upstream.ts';

/** A request as both protocols can say it. */
const generated = fc.record({
  method: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'REPORT'),
  path: fc.stringMatching(/^\/(?:[\w.~!$&'()*+,;=:@/?-]|%[0-9A-F]{2}){0,24}$/),
  fields: fc.uniqueArray(
    fc.tuple(
      fc.oneof(
        fc.stringMatching(/^x-[!#$%&'*+.^_`|~0-9a-z-]{1,12}$/),
        fc.constantFrom(
          ...['x-forwarded-for', 'x_forwarded_for', 'client-cert', 'via', 'max-forwards', 'cookie'],
          ...[
            'x-request-id',
            'traceparent',
            'tracestate',
            'accept',
            'te',
            'x-real-ip',
            '__proto__',
          ],
        ),
      ),
      fc.stringMatching(/^(?:[!-~](?:[ -~]{0,18}[!-~])?)?$/),
    ),
    { maxLength: 5, selector: ([name]) => name },
  ),
  body: fc.option(fc.stringMatching(/^[ -~]{0,40}$/), { nil: undefined }),
});

/** A request as an upstream saw it, without the parts that differ from run to run. */
type Seen = readonly string[];

/** Lists a request's parts in one order: HTTP/2 has names in lower case and no Host. */
function normal(method: string, target: string, raw: readonly string[], body: string): Seen {
  const fields: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!.toLowerCase();
    if (name.startsWith(':') && name !== ':authority') continue;
    if (name === 'connection') continue;
    const value = raw[i + 1]!.replace(/^[12]\.[01] ambassador-\S+$/, 'VIA')
      .replace(/^[0-9a-f]{8}-[0-9a-f-]{27}$/, 'ID')
      .replace(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/, 'TRACE');
    fields.push(`${name === ':authority' ? 'host' : name}: ${value}`);
  }
  return [`${method} ${target}`, ...fields.toSorted(), body];
}

/** Whether HTTP/2 itself forbids the request, so that its client cannot send it. */
const isForbidden = (fields: readonly (readonly [string, string])[]) =>
  fields.some(([name, value]) => name === 'te' && value !== 'trailers');

test('a generated request is the same for the upstream, whatever either side speaks', async (t) => {
  const seen: Seen[] = [];
  await using one = await TestUpstream.start((incoming, response) => {
    let body = '';
    incoming.setEncoding('latin1').on('data', (text) => (body += text));
    incoming.on('end', () => {
      seen.push(normal(incoming.method!, incoming.url!, incoming.rawHeaders, body));
      response.end();
    });
  });
  await using two = await Http2Upstream.start((stream, _fields) => {
    const raw = (stream as unknown as { raw: string[] }).raw;
    let body = '';
    stream.setEncoding('latin1').on('data', (text) => (body += text));
    stream.on('end', () => {
      const at = (name: string) => raw[raw.indexOf(name) + 1]!;
      seen.push(normal(at(':method'), at(':path'), raw, body));
      stream.respond({ ':status': 200 }, { endStream: true });
    });
  });
  two.server.prependListener('stream', (stream, _fields, _flags, raw) => {
    (stream as unknown as { raw: unknown }).raw = raw;
  });
  await using toOne = await TestProxy.start({ upstream: [one.url] });
  await using toTwo = await TestProxy.start({ upstream: [two.url] });
  using clientOfOne = await Http2Client.connect(toOne.url);
  using clientOfTwo = await Http2Client.connect(toTwo.url);
  let forwarded = 0;
  const outcome = async (send: () => Promise<number>) => {
    seen.length = 0;
    const status = await send();
    return { status, seen: seen[0] };
  };
  await fc.assert(
    fc.asyncProperty(generated, async ({ method, path, fields, body }) => {
      if (isForbidden(fields)) return;
      const length = body === undefined ? [] : [['content-length', String(body.length)] as const];
      const headers = Object.assign(
        { __proto__: null } as unknown as Record<string, string>,
        ...[...fields, ...length].map(([name, value]) =>
          Object.defineProperty({}, name, { value, enumerable: true }),
        ),
      );
      const first = async (url: string) =>
        (
          await request(url, {
            method,
            path,
            headers: { ...headers, host: 'site.example' },
            agent: false,
            ...(body === undefined ? {} : { body }),
          })
        ).status;
      const second = async (client: Http2Client) =>
        (
          await client.request(
            { ...headers, ':method': method, ':path': path, ':authority': 'site.example' },
            body,
          )
        ).status;
      const results = [
        await outcome(() => first(toOne.url)),
        await outcome(() => second(clientOfOne)),
        await outcome(() => first(toTwo.url)),
        await outcome(() => second(clientOfTwo)),
      ];
      for (const result of results.slice(1))
        assert.deepEqual(result, results[0], JSON.stringify({ method, path, fields, body }));
      if (results[0]!.status === 200) forwarded++;
    }),
    propertyParameters(200),
  );
  t.diagnostic(`${forwarded} requests forwarded by each of four ways`);
  assert.ok(forwarded > 20);
  await Promise.all([toOne.settled(), toTwo.settled()]);
});
