import assert from 'node:assert/strict';
import { test } from 'node:test';
import { propertyParameters } from '@sidekit/test-kit';
import fc from 'fast-check';
import { negotiateFormat, Registry } from './metrics.ts';
import { registerProcessMetrics } from './process-metrics.ts';

test('counters and gauges are written with help and type', () => {
  const registry = new Registry();
  registry.counter({ name: 'a_total', help: 'All a.' }).inc();
  const b = registry.gauge({ name: 'b', help: 'Of b.' });
  b.set(5);
  b.dec(1.5);
  assert.equal(
    registry.render(),
    '# HELP a_total All a.\n# TYPE a_total counter\na_total 1\n' +
      '# HELP b Of b.\n# TYPE b gauge\nb 3.5\n',
  );
});

test('help and label values are escaped', () => {
  const registry = new Registry();
  const family = registry.counters({ name: 'x', help: 'a\\b\nc "d"' });
  family.with({ path: 'C:\\x\n"y"', code: '200' }).inc(2);
  assert.equal(
    registry.render(),
    '# HELP x a\\\\b\\nc "d"\n# TYPE x counter\nx{path="C:\\\\x\\n\\"y\\"",code="200"} 2\n',
  );
});

test('any label value is one line and reads back as itself', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (value) => {
      const registry = new Registry();
      registry.counters({ name: 'x', help: '' }).with({ l: value });
      const line = registry.render().split('\n')[2] ?? '';
      const quoted = /^x\{l="((?:[^"\\\n]|\\["\\n])*)"\} 0$/.exec(line)?.[1];
      const back = quoted?.replace(/\\(.)/g, (_, c) => (c === 'n' ? '\n' : c));
      assert.equal(back, value);
    }),
    propertyParameters(300),
  );
});

test('one label set has one handle, until it is removed', () => {
  const family = new Registry().gauges({ name: 'g', help: '' });
  const handle = family.with({ file: 'a' });
  assert.equal(family.with({ file: 'a' }), handle);
  assert.equal(family.size, 1);
  family.remove({ file: 'a' });
  assert.equal(family.size, 0);
});

test('a histogram counts into cumulative buckets, bounds inclusive', () => {
  const registry = new Registry();
  const histogram = registry.histogram({ name: 'h', help: '', buckets: [0.1, 1] });
  for (const value of [0.05, 0.1, 0.5, 1, 7]) histogram.observe(value);
  assert.equal(
    registry.render().split('\n').slice(2, -1).join('\n'),
    'h_bucket{le="0.1"} 2\nh_bucket{le="1"} 4\nh_bucket{le="+Inf"} 5\nh_sum 8.65\nh_count 5',
  );
  const labelled = registry.histograms({ name: 'l', help: '', buckets: [1] });
  labelled.with({ a: 'b' }).observe(2);
  assert.match(registry.render(), /l_bucket\{a="b",le="1"\} 0\n.*\nl_sum\{a="b"\} 2\n/);
});

test('values without a number are written as Prometheus reads them', () => {
  const registry = new Registry();
  const family = registry.gauges({ name: 'g', help: '' });
  family.with({ v: 'a' }).set(Number.POSITIVE_INFINITY);
  family.with({ v: 'b' }).set(Number.NEGATIVE_INFINITY);
  family.with({ v: 'c' }).set(Number.NaN);
  assert.match(registry.render(), /"a"} \+Inf\n.*"b"} -Inf\n.*"c"} NaN\n/s);
});

test('what is collected is asked for at each scrape', () => {
  const registry = new Registry();
  let asked = 0;
  registry.counter({ name: 'c_total', help: '', collect: () => ++asked });
  registry.gauge({ name: 'g', help: '', collect: (gauge) => gauge.set(asked * 10) });
  registry.gauges({
    name: 'f',
    help: '',
    collect: (family) => family.with({ n: 'x' }).set(asked),
  });
  registry.render();
  assert.match(registry.render(), /c_total 2\n.*g 20\n.*f\{n="x"\} 2\n/s);
});

test('bad and repeated names and buckets are refused', () => {
  const registry = new Registry();
  registry.counter({ name: 'a', help: '' });
  assert.throws(() => registry.counter({ name: 'a', help: '' }), /already registered/);
  assert.throws(() => registry.counter({ name: 'a-b', help: '' }), /bad metric name/);
  const family = registry.counters({ name: 'c', help: '' });
  assert.throws(() => family.with({ 'x-y': '' }), /bad label name x-y of c/);
  assert.throws(() => registry.histogram({ name: 'h', help: '', buckets: [1, 1] }), /ascend/);
});

test('the process tells of itself with the types of the client guidelines', () => {
  const registry = new Registry();
  registerProcessMetrics(registry, 'test');
  const text = registry.render();
  assert.match(text, /sidekit_build_info\{name="test",version="[\d.]+",node="[\d.]+"\} 1\n/);
  assert.match(text, /# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total [\d.]+/);
  const rss = Number(/^process_resident_memory_bytes (\d+)$/m.exec(text)?.[1]);
  assert.ok(rss > 10e6 && rss < 10e9);
  const start = Number(/^process_start_time_seconds (\d+)$/m.exec(text)?.[1]);
  assert.ok(Math.abs(start - (Date.now() / 1000 - process.uptime())) < 5);
  assert.ok(Number(/^process_open_fds (\d+)$/m.exec(text)?.[1]) > 2);
});

test('OpenMetrics names counters by their family, writes bounds as floats and ends', () => {
  const registry = new Registry();
  registry.counter({ name: 'a_total', help: 'All "a".' }).inc();
  registry.counter({ name: 'b_seconds', help: 'B.' }).inc();
  registry.histogram({ name: 'c', help: 'C.', buckets: [0.5, 1] }).observe(0.7);
  assert.deepEqual(registry.render('openmetrics').split('\n'), [
    '# HELP a All \\"a\\".',
    '# TYPE a counter',
    'a_total 1',
    '# HELP b_seconds B.',
    '# TYPE b_seconds unknown',
    'b_seconds 1',
    '# HELP c C.',
    '# TYPE c histogram',
    'c_bucket{le="0.5"} 0',
    'c_bucket{le="1.0"} 1',
    'c_bucket{le="+Inf"} 1',
    'c_sum 0.7',
    'c_count 1',
    '# EOF',
    '',
  ]);
});

test('the format is that of the Accept header', () => {
  const open = 'application/openmetrics-text';
  for (const [accept, format] of [
    [undefined, 'prometheus'],
    ['*/*', 'prometheus'],
    ['text/plain', 'prometheus'],
    [
      `${open};version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;q=0.5`,
      'openmetrics',
    ],
    [`${open};q=0.2, text/plain;q=0.5`, 'prometheus'],
    [`${open};q=0`, 'prometheus'],
  ] as const) {
    assert.equal(negotiateFormat(accept), format, String(accept));
  }
});

test('a name is free unless one of its series or its family belongs to another metric', () => {
  const registry = new Registry();
  registry.histogram({ name: 'wait', help: '' });
  registry.counter({ name: 'jobs_total', help: '' });
  for (const name of ['wait', 'wait_count', 'wait_sum', 'wait_bucket', 'jobs_total', 'jobs']) {
    assert.equal(registry.isFree(name, 'gauge'), false, name);
  }
  assert.equal(registry.isFree('wait_total', 'counter'), false);
  assert.equal(registry.isFree('wait_max', 'gauge'), true);
  registry.gauge({ name: 'size_sum', help: '' });
  assert.equal(registry.isFree('size', 'histogram'), false);
  registry.remove('wait');
  assert.equal(registry.isFree('wait_count', 'gauge'), true);
  assert.doesNotMatch(registry.render(), /wait/);
});

test('a histogram takes a value several times at once', () => {
  const registry = new Registry();
  registry.histogram({ name: 'wait', help: '', buckets: [1] }).observe(0.5, 4);
  assert.match(registry.render(), /wait_bucket\{le="1"\} 4\n.*\nwait_sum 2\nwait_count 4\n/);
});
