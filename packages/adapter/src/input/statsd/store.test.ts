import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from '@sidekit/core';
import { propertyParameters } from '@sidekit/test-kit';
import fc from 'fast-check';
import { StatsdStore, type StoreOptions } from './store.ts';

function receiving(options: Partial<StoreOptions> = {}) {
  const registry = new Registry();
  const clock = { now: 0 };
  const drops: Record<string, number> = {};
  const store = new StatsdStore(registry, {
    series: 1000,
    buckets: [0.1, 1],
    expiry: 60_000,
    now: () => clock.now,
    onDrop: (cause) => {
      drops[cause] = (drops[cause] ?? 0) + 1;
    },
    ...options,
  });
  /** The samples without HELP and TYPE. */
  const samples = () => {
    store.sweep();
    return registry
      .render()
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
  };
  return { registry, clock, drops, store, samples, send: (text: string) => store.datagram(text) };
}

test('counters add up, and a sample rate scales them', () => {
  const s = receiving();
  s.send('page.views:1|c\npage.views:2|c|@0.1\r\npage.views:0.5|c\n\n');
  assert.deepEqual(s.samples(), ['page_views 21.5']);
  assert.deepEqual(s.drops, {});
});

test('what senders put after a line is no part of it', () => {
  const s = receiving();
  s.send('a:1|c\0');
  s.send('a:1|c\r\na:1|c|#x:y\0\r\n\r\n\0');
  s.send('a:1|c\0');
  assert.deepEqual(s.samples(), ['a 3', 'a{x="y"} 1']);
  assert.deepEqual(s.drops, {});
});

test('gauges are set, and changed by a value with a sign', () => {
  const s = receiving();
  s.send('fuel:10|g\nfuel:+2.5|g\nfuel:-4|g\nfresh:-3|g\nfuel:1e1:+1|g');
  assert.deepEqual(s.samples(), ['fuel 11', 'fresh -3']);
});

test('timers become seconds; histograms and distributions are observed as they are', () => {
  const s = receiving();
  s.send('took:50|ms\ntook:500|ms\nsize:0.5:2:0.05|h\nother:1|d');
  assert.deepEqual(s.samples(), [
    ...['took_bucket{le="0.1"} 1', 'took_bucket{le="1"} 2', 'took_bucket{le="+Inf"} 2'],
    ...['took_sum 0.55', 'took_count 2'],
    ...['size_bucket{le="0.1"} 1', 'size_bucket{le="1"} 2', 'size_bucket{le="+Inf"} 3'],
    ...['size_sum 2.55', 'size_count 3'],
    ...['other_bucket{le="0.1"} 0', 'other_bucket{le="1"} 1', 'other_bucket{le="+Inf"} 1'],
    ...['other_sum 1', 'other_count 1'],
  ]);
});

test('a sampled histogram counts whole events, right on average', () => {
  const s = receiving();
  for (let i = 0; i < 700; i++) s.send('took:1|h|@0.7');
  const count = Number(s.samples().at(-1)?.split(' ')[1]);
  assert.ok(Number.isInteger(count) && Math.abs(count - 1000) <= 1, `${count}`);
});

test('a set counts the distinct members of the last minute', () => {
  const s = receiving();
  s.send('users:a|s\nusers:b|s\nusers:a|s\nusers:x:y|s');
  assert.deepEqual(s.samples(), ['users 3']);
  s.clock.now = 30_000;
  s.send('users:b|s');
  s.clock.now = 60_000;
  assert.deepEqual(s.samples(), ['users 1']);
});

test('tags become labels in one order, and sections of later protocols are ignored', () => {
  const s = receiving();
  s.send('hits:1|c|#b:2,a:1,urgent|c:ci-123|T1656581400|e:it-false\nhits:1|c|@1|#a:1,urgent,b:2');
  assert.deepEqual(s.samples(), ['hits{a="1",b="2",urgent="true"} 2']);
});

test('names that Prometheus cannot hold or reserves are replaced', () => {
  const s = receiving();
  s.send('2.über-läufe:1|c|#le:5,__name__:x,9:n,empty:,:v,,a-b:c:d\x01');
  assert.deepEqual(s.samples(), [
    '_2__ber_l_ufe{_9="n",a_b="c:d\ufffd",tag___name__="x",tag_le="5"} 1',
  ]);
});

for (const [cause, lines] of Object.entries({
  malformed: ['x', ':1|c', 'x:|c', 'x:1', 'x|c:1', '\0\0'],
  unsupported: ['x:1|', 'x:1|q', '_e{5,4}:title|text', '_sc|name|0'],
  invalid_value: ['x:one|c', 'x:0x10|g', 'x:1 |ms', 'x:--1|g', 'x:1,5|h', 'x: |c'],
  not_finite: ['x:NaN|g', 'x:+Inf|g', 'x:-infinity|c', 'x:1e999|ms', 'x:nan|d'],
  negative_counter: ['x:-1|c'],
  out_of_range: ['x:1e19|c', 'x:-1e19|g', 'x:1|ms|@1e-200', 'x:1e17|c|@0.01'],
  sample_rate: ['x:1|c|@0', 'x:1|c|@1.01', 'x:1|h|@-1', 'x:1|c|@NaN', 'x:1|c|@', 'x:1|g|@Inf'],
  too_long: [`${'n'.repeat(257)}:1|c`, `x:1|c|#${'t'.repeat(513)}`, `x:${'m'.repeat(257)}|s`],
})) {
  test(`${cause}: such lines are dropped and counted, and lines around them are not`, () => {
    const s = receiving();
    for (const line of lines) s.send(`before:1|c\n${line}\nafter:1|c`);
    assert.deepEqual(s.samples(), [`before ${lines.length}`, `after ${lines.length}`]);
    assert.deepEqual(s.drops, { [cause]: lines.length });
  });
}

test('one bad value of several does not affect the others', () => {
  const s = receiving();
  s.send('x:1:bad:2:NaN:-1|c');
  assert.deepEqual(s.samples(), ['x 3']);
  assert.deepEqual(s.drops, { invalid_value: 1, not_finite: 1, negative_counter: 1 });
});

test('a name of another kind, or of a metric of the adapter, is a conflict', () => {
  const s = receiving();
  s.registry.counter({ name: 'adapter_lines_total', help: '' });
  s.send('wait:1|ms\nwait:1|c\nwait_sum:1|g\nu:a|s\nu:1|g\nadapter.lines:1|g');
  s.send('adapter_lines_total:1|c\njobs:1|g\njobs_total:1|c');
  assert.deepEqual(s.drops, { conflict: 6 });
});

test('series beyond the cap are dropped, and those that exist still count', () => {
  const s = receiving({ series: 7 });
  s.send('a:1|c\nh:1|h\nb:1|c\nc:1|c\nh:1|h|#x:y\na:1|c\na:1|c|#t:1');
  assert.equal(s.store.size, 7);
  assert.deepEqual(s.drops, { series_limit: 3 });
  assert.equal(s.samples()[0], 'a 2');
  assert.equal(s.store.hasRoom, false);
});

test('a full store makes room as series expire', () => {
  const s = receiving({ series: 7 });
  for (let i = 0; i < 9; i++) s.send(`a:1|c|#i:${i}`);
  s.clock.now = 59_000;
  s.send('a:1|c|#i:3');
  s.clock.now = 60_000;
  s.send('b:1|h');
  assert.deepEqual(s.drops, { series_limit: 2 });
  assert.deepEqual(s.samples().slice(0, 1), ['a{i="3"} 2']);
  assert.equal(s.store.size, 6);
});

test('an expired name is free for another kind, and a counter starts again', () => {
  const s = receiving();
  s.send('a:5|c\nb:5|c');
  s.clock.now = 60_000;
  assert.deepEqual(s.samples(), []);
  s.send('a:1|g\nb:1|c');
  assert.deepEqual(s.samples(), ['a 1', 'b 1']);
  assert.doesNotMatch(s.registry.render(), /TYPE a counter/);
});

test('without expiry series stay', () => {
  const s = receiving({ expiry: 0 });
  s.send('a:5|c');
  s.clock.now = 1e12;
  assert.deepEqual(s.samples(), ['a 5']);
});

test('sets share one bound on their members, and give room back', () => {
  const s = receiving();
  for (let i = 0; i < 20_010; i++) s.send(`u${i % 2}:${i}|s`);
  assert.deepEqual(s.samples(), ['u0 10000', 'u1 10000']);
  assert.deepEqual(s.drops, { set_limit: 10 });
  assert.equal(s.store.hasRoom, false);
  s.clock.now = 60_000;
  assert.deepEqual(s.samples(), []);
  s.send('u1:new|s');
  assert.deepEqual(s.samples(), ['u1 1']);
});

const piece = fc.oneof(
  fc.constantFrom('a', 'b.c', ':', '|', '#', '@', ',', '+', '-', '1', '0.5', '1e308', 'NaN', '\n'),
  fc.constantFrom('|c', '|g', '|ms', '|h', '|s', '|@0.1', '|#le:1', '|#__proto__:x', '"', '\\'),
  fc.string({ unit: 'binary', maxLength: 6 }),
);
const datagram = fc.oneof(
  fc.array(piece, { maxLength: 30 }).map((pieces) => Buffer.from(pieces.join(''))),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
);

test('any datagrams leave bounded, well-formed metrics, without one series twice', () => {
  fc.assert(
    fc.property(fc.array(datagram, { maxLength: 20 }), (datagrams) => {
      const s = receiving({ series: 20 });
      for (const bytes of datagrams) s.send(bytes.toString('utf8'));
      s.send('\nvalid:1|c');
      const samples = s.samples();
      assert.ok(samples.length <= 20);
      for (const line of samples) {
        assert.match(
          line,
          /^[a-zA-Z_][a-zA-Z0-9_]*(\{([a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*",?)+\})? -?\d[\d.e+-]*$/,
        );
        assert.ok(line.isWellFormed());
      }
      const ids = samples.map((line) => line.slice(0, line.lastIndexOf(' ')));
      assert.equal(new Set(ids).size, ids.length);
      const families = s.registry.render('openmetrics').match(/^# TYPE (\S+)/gm) ?? [];
      assert.equal(new Set(families).size, families.length);
      assert.ok(
        samples.includes('valid 1') || (s.drops.series_limit ?? 0) + (s.drops.conflict ?? 0) > 0,
      );
    }),
    propertyParameters(500),
  );
});

const sent = fc.record({
  name: fc.constantFrom('a', 'b'),
  tag: fc.constantFrom('', 'x', 'y'),
  value: fc.integer({ min: 0, max: 1000 }),
  rate: fc.constantFrom(1, 0.5, 0.25),
});

test('counters equal the sum of what was sent, however it is cut into datagrams', () => {
  fc.assert(
    fc.property(fc.array(fc.array(sent)), (datagrams) => {
      const s = receiving();
      const wanted = new Map<string, number>();
      for (const lines of datagrams) {
        s.send(
          lines
            .map(({ name, tag, value, rate }) => `${name}:${value}|c|@${rate}|#t:${tag}`)
            .join('\n'),
        );
        for (const { name, tag, value, rate } of lines) {
          const id = tag === '' ? name : `${name}{t="${tag}"}`;
          wanted.set(id, (wanted.get(id) ?? 0) + value / rate);
        }
      }
      const got = new Map(
        s
          .samples()
          .map((line) => line.split(' ') as [string, string])
          .map(([id, value]) => [id, Number(value)]),
      );
      assert.deepEqual(new Map([...got].sort()), new Map([...wanted].sort()));
    }),
    propertyParameters(100),
  );
});

test('a line that is known by all but its value is judged by that value like the first', () => {
  const s = receiving();
  for (const value of ['1', '2', '', 'x', '-3', '1e400', '1:2', ' 4', '0004', '9'.repeat(40)]) {
    s.send(`a.b:${value}|c|#t:x`);
    s.send(`set:${value}|s`);
  }
  s.send('a.b:1|c|@0.5|#t:x\na.b:1|g|#t:x\na.b:1|c|#t:y');
  assert.deepEqual(s.samples(), ['a_b{t="x"} 12', 'a_b{t="y"} 1', 'set 9']);
  assert.deepEqual(s.drops, {
    malformed: 2,
    invalid_value: 2,
    negative_counter: 1,
    not_finite: 1,
    out_of_range: 1,
    conflict: 1,
  });
});
