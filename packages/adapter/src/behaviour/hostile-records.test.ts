import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { propertyParameters } from '@sidekit/test-kit';
import fc from 'fast-check';
import { scene } from '../testing/scene.ts';
import { strictLoki, strictOtlp } from '../testing/strict.ts';

/** The outputs, and how their bodies are read strictly: the number of records in a body. */
const READERS: Readonly<Record<string, (body: string) => number>> = {
  '': (body) =>
    body
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)).length,
  'otlp:': (body) => strictOtlp(body).length,
  'loki:': (body) => strictLoki(body).length,
};

const deep = (depth: number, open = '{"a":', close = '}') =>
  `{"x":${open.repeat(depth)}1${close.repeat(depth)}}`;

/** Lines that have broken a parser, an encoder or a receiver. */
const HOSTILE: Readonly<Record<string, string>> = {
  'objects nested 1,500 levels deep': deep(1500),
  'objects nested 20,000 levels deep': deep(20_000),
  'lists nested 30,000 levels deep': deep(30_000, '[', ']'),
  '60,000 brackets that are not closed': `{"x":${'['.repeat(60_000)}`,
  'brackets in strings': `{"x":"${'['.repeat(5000)}\\"${'{'.repeat(5000)}"}`,
  '15,000 fields': `{${Array.from({ length: 15_000 }, (_, i) => `"f${i}":${i}`).join(',')}}`,
  '60,000 elements': `{"x":[${'1,'.repeat(60_000)}1]}`,
  '60,000 empty lists': `{"x":[${'[],'.repeat(60_000)}[]]}`,
  'a lone surrogate': '{"msg":"a\\ud800b"}',
  'lone surrogates in names that become equal': '{"\\ud800":1,"\\ud801":2,"\\udfff":{"\\udc00":3}}',
  'a time beyond 64-bit nanoseconds': '{"time":"9999-12-31T23:59:59Z","msg":"x"}',
  'a time before 1970': '{"time":"0001-01-01T00:00:00Z","msg":"x"}',
  'a time between signed and unsigned 64-bit nanoseconds': '{"time":"2400-01-01T00:00:00Z"}',
  'a number that no double holds': '{"a":1e999,"b":-1e999,"c":123456789012345678901234567890}',
  'names that are empty or special':
    '{"":1,"_":2,"__proto__":{"a":1},"constructor":3,"toString":4}',
  'levels that are no text': '{"level":{"a":[1]},"severity":[]}',
  'an unusual level': '{"level":1e300}',
  'the fields of the key': '{"offset":1,"file.id":2,"file.path":3}',
  'trace identifiers that are none':
    '{"trace_id":"00000000000000000000000000000000","span_id":"x"}',
  'control characters': `{"msg":"${'\\u0001'.repeat(30_000)}"}`,
};

for (const [output, read] of Object.entries(READERS)) {
  for (const [what, line] of Object.entries(HOSTILE)) {
    test(`${what}: output ${output || 'http'} gets it and every other record`, async () => {
      await using s = await scene((directory, url) => ({
        include: [join(directory, 'logs/*.log')],
        format: 'json',
        output: [`${output}${url}`],
      }));
      s.write(`{"msg":"before"}\n${line}\n{"msg":"after"}\n`);
      writeFileSync(join(s.logs, 'b.log'), '{"msg":"other file"}\n');
      await s.settle();
      const bodies = s.receiver.requests.map(({ body }) => body);
      assert.equal(
        bodies.reduce((sum, body) => sum + read(body), 0),
        4,
      );
      for (const text of ['before', 'after', 'other file']) {
        assert.ok(
          bodies.some((body) => body.includes(text)),
          text,
        );
      }
      assert.equal(s.adapter.metric('adapter_failed_records_total'), 0);
      // No record may cost a receiver much more than it had in the file.
      assert.ok(Math.max(...bodies.map(({ length }) => length)) < 1024 * 1024);
    });
  }
}

const json = fc.oneof(
  fc.json({ maxDepth: 40, stringUnit: 'binary' }),
  fc.object({ maxDepth: 3, withBigInt: false }).map((value) => JSON.stringify(value)),
  fc.string({ unit: 'binary' }).map((text) => text.replaceAll('\n', ' ')),
);

for (const [output, read] of Object.entries(READERS)) {
  test(`whatever a line holds, output ${output || 'http'} gets valid records, one for each line`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(json, { minLength: 1, maxLength: 40 }), async (lines) => {
        await using s = await scene((_directory, url) => ({
          format: 'json',
          timeFields: ['a', 'time'],
          output: [`${output}${url}`],
        }));
        // A line feed ends a line, and bytes of zero at its start are a hole.
        const texts = lines
          .map((line) => line.replaceAll(/[\n\r]/g, ' ').replace(/^\0+/, ''))
          .filter((line) => line !== '' && !line.startsWith('\ufeff'));
        s.write(texts.map((line) => `${line}\n`).join(''));
        await s.settle();
        const count = s.receiver.requests.reduce((sum, { body }) => sum + read(body), 0);
        assert.equal(count, texts.length);
      }),
      propertyParameters(30),
    );
  });
}
