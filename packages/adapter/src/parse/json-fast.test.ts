import assert from 'node:assert/strict';
import { test } from 'node:test';
import { propertyParameters } from '@sidekit/test-kit';
import fc from 'fast-check';
import { KEY_FIELDS } from '../pipeline/record-key.ts';
import { FastJson } from './json-fast.ts';
import { parserFor } from './parser-for.ts';

const USUAL = ['time', 'timestamp', '@timestamp', 'ts', 't', 'asctime'];

function fast(
  line: string,
  timeFields = USUAL,
  parser = new FastJson(timeFields, KEY_FIELDS),
): string | undefined {
  // What surrounds the line in a chunk must not matter.
  const input = Buffer.from(`}"\n${line}\n"}`);
  const out = Buffer.alloc(input.length + parser.overhead);
  const end = parser.write(input, 3, input.length - 3, out, 1);
  assert.ok(end <= out.length, 'it stays within its room');
  return end === -1 ? undefined : `${out.toString('utf8', 1, end)}}`;
}

function slow(line: string, timeFields = USUAL): string | undefined {
  const record = parserFor({ format: 'json', pattern: undefined, timeFields })(line);
  return typeof record === 'string' ? undefined : JSON.stringify(record);
}

const NAMES = ['a', 'msg', '', 'ü', 'time', 'ts', 't', 'level', 'a b', '__proto__', 'toString'];
const name = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom(...NAMES) },
  { weight: 1, arbitrary: fc.constantFrom('7', '07', 'offset', 'file.id', 'a"b', 'a\\b') },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 4 }) },
);
const scalar = fc.oneof(
  fc.constantFrom('true', 'false', 'null', '0', '-0', '1', '-1', '1.5', '0.1', '-0.25'),
  fc.constantFrom('1.0', '1e3', '1E-3', '007', '0.0000001', '0.000001', '123456789012345'),
  fc.constantFrom(
    '1234567890123456',
    '0.12345678901234567',
    '1795000000000',
    '1795000000.25',
    '1795000059',
  ),
  fc.constantFrom('"2026-11-21T05:05:00Z"', '"2026-11-21 05:05:00,123"', '"1795000000"', '"x"'),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.string({ maxLength: 8 }).map((text) => JSON.stringify(text)),
  fc.string({ unit: 'binary', maxLength: 4 }).map((text) => JSON.stringify(text.toWellFormed())),
  fc.constantFrom('"\\u0041"', '"\\/"', '"\\ud800"', '"\\n"', '"\\u001b[0m"', '"\\\\"', '"\u2028"'),
);
const value = fc.letrec<{ any: string; object: string }>((tie) => ({
  any: fc.oneof(
    { weight: 8, arbitrary: scalar },
    { weight: 1, arbitrary: tie('object') },
    {
      weight: 1,
      arbitrary: fc.array(tie('any'), { maxLength: 3 }).map((all) => `[${all.join(',')}]`),
    },
  ),
  object: fc
    .array(fc.tuple(name, tie('any')), { maxLength: 5 })
    .map((all) => `{${all.map(([key, one]) => `${JSON.stringify(key)}:${one}`).join(',')}}`),
}));
/** One byte changed, taken out or put in, now and then. */
const damage = fc.option(
  fc.tuple(
    fc.nat(200),
    fc.constantFrom('', ' ', ',', '"', '{', '}', '[', ']', ':', '\\', '0', 'e'),
  ),
  { freq: 4 },
);

test('what the fast parser takes, the other parser reads to the same bytes', () => {
  let taken = 0;
  fc.assert(
    fc.property(
      value.object,
      damage,
      fc.boolean(),
      fc.boolean(),
      (given, change, replace, spaced) => {
        const whole = spaced ? given.replace(/[,:]/g, '$& ') : given;
        const at = change ? change[0] % (whole.length + 1) : 0;
        const text = change
          ? whole.slice(0, at) + change[1] + whole.slice(at + (replace ? 1 : 0))
          : whole;
        const line = text.toWellFormed().replaceAll('\n', ' ');
        const quick = fast(line);
        if (quick === undefined) return;
        taken++;
        assert.equal(quick, slow(line));
      },
    ),
    propertyParameters(5000),
  );
  assert.ok(taken > 200, `${taken} lines were plain`);
});

test('a line becomes the same bytes whatever the lines before it were', () => {
  let taken = 0;
  fc.assert(
    fc.property(
      fc.array(value.object, { minLength: 1, maxLength: 3 }),
      fc.array(fc.tuple(fc.nat(2), scalar, scalar), { maxLength: 8 }),
      (shapes, picked) => {
        const parser = new FastJson(USUAL, KEY_FIELDS);
        for (const [i, time, other] of picked) {
          const rest = shapes[i % shapes.length]!.slice(1);
          const more = rest === '}' ? '}' : `,${rest}`;
          const line = `{"ts":${time},"v":${other}${more}`.toWellFormed().replaceAll('\n', ' ');
          const quick = fast(line, USUAL, parser);
          if (quick === undefined) continue;
          taken++;
          assert.equal(quick, slow(line));
        }
      },
    ),
    propertyParameters(3000),
  );
  assert.ok(taken > 1000, `${taken} lines were plain`);
});

test('keys of two objects are not mixed up, also where those of the line before were the same', () => {
  const parser = new FastJson(USUAL, KEY_FIELDS);
  for (const [line, isTaken] of [
    ['{"l":[{"a":1},{"a":2}],"b":3}', true],
    ['{"l":[{"a":1,"a":2}],"b":3}', false],
    ['{"a":{"ts":1795000000},"b":1}', true],
    ['{"a":1,"ts":1795000000,"b":1}', true],
    ['{"a":{"ts":1795000000,"b":1}}', true],
    ['{"a":{"b":1},"b":{"b":1}}', true],
    ['{"a":{"b":1},"a":{"b":1}}', false],
  ] as const) {
    const quick = fast(line, USUAL, parser);
    assert.equal(quick !== undefined, isTaken, line);
    if (isTaken) assert.equal(quick, slow(line));
  }
});

test('times follow each other into other seconds, minutes and years', () => {
  const parser = new FastJson(USUAL, KEY_FIELDS);
  const at = Date.UTC(2026, 11, 31, 23, 58, 57);
  for (let i = 0; i < 400; i++) {
    const now = at + i * 317;
    const whole = Math.floor(now / 1000);
    const iso = JSON.stringify(new Date(now).toISOString());
    for (const time of [now, whole, iso, iso.replace('T', ' '), iso.replace(/\.\d+/, '')]) {
      for (const name of ['time', 'ts']) {
        const line = `{"${name}":${time},"msg":"x"}`;
        assert.equal(fast(line, USUAL, parser), slow(line));
      }
    }
  }
});

test('a line with very many keys is read like any other', () => {
  const parser = new FastJson(USUAL, KEY_FIELDS);
  for (const count of [10, 255, 256, 257, 1000, 10]) {
    const line = JSON.stringify(
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, i])),
    );
    assert.equal(fast(line, USUAL, parser) ?? slow(line), slow(line));
    assert.equal(fast(line, USUAL, parser) === undefined, count > 256);
  }
  const long = JSON.stringify({ ['n'.repeat(20_000)]: 1 });
  assert.equal(fast(long, USUAL, parser) ?? slow(long), slow(long));
});

test('what loggers write is taken, wherever the time is', () => {
  for (const line of [
    '{"level":30,"time":1531171074631,"pid":657,"hostname":"shop","msg":"hello"}',
    '{"level":"info","ts":1531171074.631,"caller":"main.go:9","msg":"failed","attempt":3}',
    '{"ts":"2026-11-21 05:05:00","a":{"b":[1,{"c":null}],"d":{}},"e":"tab\\there"}',
    '{"timestamp":"2026-11-21T05:05:00+01:00"}',
    '{"time":"no time","ts":1531171074.631}',
    '{"msg":"none"}',
    '{"asctime": "2026-11-21 05:05:00,123", "name": "shop",  "message": "a , b: \\" c"}',
    '{"name": "shop", "ts": 1531171074.631}',
    '{ "ts": 1531171074.631}',
  ]) {
    const quick = fast(line);
    assert.ok(quick !== undefined, line);
    assert.equal(quick, slow(line));
  }
});

test('what JSON.stringify would write in another way is left to the other parser', () => {
  for (const line of [
    '{"a" :1}',
    '{"a":1 }',
    '{"a":1.0}',
    '{"a":-0}',
    '{"a":1e3}',
    '{"a":"\\u0041"}',
    '{"a":1,"a":2}',
    '{"b":1,"7":2}',
    '{"a":{"b":1,"b":2}}',
    '{"offset":1}',
    '{"a":12345678901234567890}',
    '{}',
    '[1]',
    '{"a":1} ',
    '{"a":1}}',
    '{"a":[1}',
    '{"a"}',
    '{"a":tru}',
  ]) {
    assert.equal(fast(line), undefined, line);
  }
  assert.equal(fast('{"offset":1}', ['offset']), undefined);
});
