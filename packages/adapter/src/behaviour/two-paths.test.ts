import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from '@sidekit/core';
import { valuesOf } from '@sidekit/core/testing';
import { propertyParameters } from '@sidekit/test-kit';
import fc from 'fast-check';
import { adapterMetrics } from '../observe/own-counters.ts';
import { adapterTable } from '../options/table.ts';
import { type Batch, PayloadPool } from '../output/batch.ts';
import { ndjson } from '../output/encoding.ts';
import { FORMATS } from '../parse/parser-for.ts';
import { pipelinesFor } from '../pipeline/pipeline-for.ts';
import { START } from '../tail/cursor.ts';
import { Generation } from '../tail/generation.ts';
import { LineSplitter } from '../tail/line-splitter.ts';

type Options = Readonly<Record<string, unknown>>;

const facts = { path: '/logs/app.log', inode: '1:2', birth: 1n, mtime: 0 };
/** A declared metric needs records, so that no line takes the fast path. */
const OWN_METRIC = { name: 'own_total', match: { 'no such field': 'x' } };

/** Runs a file through a pipeline: its output, its access-log counts and its fast lines. */
function through(options: Options, content: Buffer) {
  const registry = new Registry();
  const batches: Batch[] = [];
  const values = valuesOf(adapterTable, { include: ['/logs/app.log'], ...options });
  const metrics = adapterMetrics(registry);
  const pool = new PayloadPool(1024);
  const now = () => 1_795_000_000_000;
  const pipeline = pipelinesFor(values, {
    registry,
    metrics,
    pool,
    now,
    wall: now,
    spools: new Map(),
  })(ndjson, {
    submit: (batch: Batch) => void batches.push(batch),
    idle: true,
    queuedBytes: 0,
  });
  const generation = new Generation('0123456789abcdef', '/logs/app.log', facts, 0, ['stdout']);
  const end = { offset: content.length, tail: Buffer.alloc(0), inLine: false };
  const splitter = new LineSplitter(
    { maxLine: 4096, longLines: 'split', onLongLine() {} },
    pipeline,
  );
  splitter.split(generation, START, content, 0, content.length, true);
  pipeline.mark(generation, end);
  pipeline.settle(generation, end, 0, true);
  pipeline.flush();
  return {
    text: batches.map(({ payload }) => payload.bytes.toString('utf8')).join(''),
    counts: registry
      .render()
      .match(/^(log_http|adapter_(parse|records)).*$/gm)
      ?.sort(),
    fastLines: pipeline.fastLines,
  };
}

const NAMES = [
  ...['a', 'b', 'msg', 'level', 'time', 'ts', 'status', 'path', 'user_agent', 'referer'],
  ...['hostname', 'severity', 'message'],
];
const ODD = ['ü', '7', '__proto__', 'offset', 'file.id', 'a"b', 'message', 'raw', ''];
const name = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom(...NAMES) },
  { weight: 1, arbitrary: fc.constantFrom(...ODD) },
);
const plainText = fc.constantFrom('x', 'prod', 'ü', 'a "b"', '\\', '', 'tab\there', '4111 1111');
const text = fc.oneof(plainText, fc.string({ unit: 'binary', maxLength: 5 }));
const fresh = fc.constantFrom('new', 'n2', 'n3', 'env', 'pod');
const map = fc
  .array(
    fc.tuple(name, fc.oneof({ weight: 1, arbitrary: name }, { weight: 4, arbitrary: fresh })),
    { maxLength: 3 },
  )
  .map((all) => Object.fromEntries(all));
const often = <T>(one: fc.Arbitrary<T>, empty: T) =>
  fc.oneof({ weight: 1, arbitrary: fc.constant(empty) }, { weight: 1, arbitrary: one });
const options = fc.record({
  format: fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom('combined', 'json', 'common', 'syslog') },
    { weight: 1, arbitrary: fc.constantFrom(...FORMATS) },
  ),
  rename: often(map, {}),
  drop: often(fc.array(name, { maxLength: 3 }), []),
  redactFields: often(fc.array(name, { maxLength: 2 }), []),
  redact: fc.oneof(
    { weight: 8, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.constant(['email']) },
  ),
  add: often(
    fc
      .array(fc.tuple(fc.oneof(name, fc.constantFrom('env', 'pod')), text), { maxLength: 3 })
      .map((all) => Object.fromEntries(all)),
    {},
  ),
  fileFields: fc.constantFrom(['id', 'offset'], ['id', 'offset', 'path'], ['offset'], []),
});

const json = fc.letrec<{ any: unknown; object: string; value: string }>((tie) => ({
  value: fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom('1', 'true', 'null', '-2.5', '1795000000000', '[]') },
    { weight: 6, arbitrary: text.map((one) => JSON.stringify(one.toWellFormed())) },
    { weight: 2, arbitrary: fc.constantFrom('"2026-11-21T05:05:00Z"', '"a@b.example"', '1.0') },
    { weight: 2, arbitrary: tie('object') },
    {
      weight: 1,
      arbitrary: fc.array(tie('value'), { maxLength: 3 }).map((all) => `[${all.join(',')}]`),
    },
  ),
  object: fc
    .tuple(
      fc.uniqueArray(name, { maxLength: 6 }),
      fc.array(tie('value'), { minLength: 6, maxLength: 6 }),
    )
    .map(
      ([keys, values]) =>
        `{${keys.map((key, i) => `${JSON.stringify(key)}:${values[i]}`).join(',')}}`,
    ),
  any: fc.constant(undefined),
})).object;
const access = fc
  .tuple(
    fc.constantFrom('-', 'frank'),
    fc.constantFrom('GET /', 'POST /a?b=c', 'PROPFIND /ü', 'x'),
    fc.constantFrom('200 12', '404 -', '- 5'),
    fc.constantFrom('"-" "-"', '"http://x/" "curl/8"', '"-" "a\\"b"', '"a" "-" 0.5', ''),
  )
  .map(
    ([user, request, numbers, rest]) =>
      `10.0.0.1 - ${user} [21/Nov/2026:05:05:00 +0000] "${request} HTTP/1.1" ${numbers} ${rest}`,
  );
const syslog = fc
  .tuple(
    fc.constantFrom('<34>1 2026-11-21T05:05:00Z h app 1 - - ', '<1>Nov 21 05:05:00 h app[1]: '),
    fc.constantFrom('hello', '', 'a "b"', 'c:\\d', 'tab\there', '4111 1111'),
  )
  .map((parts) => parts.join(''));
const usual: Readonly<Record<string, fc.Arbitrary<string>>> = { json, syslog };
const others = fc.constantFrom(
  'level=info msg="a b" a=1 time=2026-11-21T05:05:00Z',
  '2026-11-21T05:05:00.1Z stdout F {"a":1}',
  '<34>1 2026-11-21T05:05:00Z host app 1 - - hello',
  '2026/11/21 05:05:00 [error] 1#1: *1 open() failed',
  'no format at all',
);
const odd = fc.oneof(others, text, json, access, syslog);
const mostly = (many: fc.Arbitrary<string>) =>
  fc.array(fc.oneof({ weight: 5, arbitrary: many }, { weight: 1, arbitrary: odd }), {
    maxLength: 12,
  });
const file = options.chain((given) =>
  fc.tuple(fc.constant(given), mostly(usual[given.format] ?? access)),
);

test('whatever the options, a line becomes the same bytes on both paths', () => {
  let quick = 0;
  let all = 0;
  fc.assert(
    fc.property(file, ([given, lines]) => {
      const content = Buffer.from(lines.map((one) => `${one.replaceAll('\n', ' ')}\n`).join(''));
      const one: Options = {
        ...given,
        ...(given.format === 'regex' ? { pattern: '^(?<a>\\S+) (?<msg>.*)$' } : {}),
      };
      const both = through(one, content);
      const records = through({ ...one, metrics: [OWN_METRIC] }, content);
      assert.equal(both.text, records.text);
      assert.deepEqual(both.counts, records.counts);
      assert.equal(records.fastLines, 0);
      quick += both.fastLines;
      all += lines.length;
    }),
    propertyParameters(2000),
  );
  assert.ok(quick > all / 20, `${quick} of ${all} lines were plain`);
});

const ACCESS = '10.1.2.3 - - [21/Nov/2026:05:05:00 +0000] "GET /a HTTP/1.1" 200 17 "-" "curl/8"';
const JSON_LINE = '{"level":30,"time":1795000000000,"req":{"id":1,"password":"p"},"msg":"hello"}';

for (const [what, given, made] of [
  ['added to', { add: { env: 'prod', 'k8s.pod': 'a"b' } }, /,"env":"prod","k8s\.pod":"a\\"b"\}$/m],
  [
    'renamed',
    { rename: { time: '@timestamp' } },
    /"@timestamp":"2026-11-\d\dT\d\d:\d\d:\d\d[.\dZ]*"\}$/m,
  ],
  ['dropped', { drop: ['level', 'user_agent'] }, /^\{"time":"2026-11-/m],
  [
    'redacted',
    { redactFields: ['password', 'remote_addr'] },
    /"(password|remote_addr)":"\[redacted\]"/,
  ],
] as const) {
  for (const [format, text] of [
    ['combined', ACCESS],
    ['json', JSON_LINE],
  ] as const) {
    test(`a usual line of ${format} is ${what} without a record`, () => {
      const { text: out, fastLines } = through(
        { format, fileFields: [], ...given },
        Buffer.from(`${text}\n`),
      );
      assert.match(out, made);
      assert.equal(fastLines, 1, out);
    });
  }
}
