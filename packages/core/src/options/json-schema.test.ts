import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { table } from '../testing/table.ts';
import { valuesOf } from '../testing/values-of.ts';
import { jsonSchema } from './help.ts';

const ajv = new Ajv2020({ strict: true, allErrors: true, formats: { uri: true } });
const schema = jsonSchema(table);
const validate = ajv.compile(schema);

/** Whether the program itself takes the data. */
function taken(data: Record<string, unknown>): boolean {
  try {
    valuesOf(table, data);
    return true;
  } catch {
    return false;
  }
}

test('the schema is a valid one of draft 2020-12', () => {
  assert.equal(schema.$schema, 'https://json-schema.org/draft/2020-12/schema');
  assert.equal(ajv.validateSchema(schema), true, ajv.errorsText());
});

test('schema and program take and refuse the same values', () => {
  const cases: readonly (readonly [data: object, good: boolean])[] = [
    [{ count: 5, wait: '1m30s', body: '8KiB', fast: false, mode: 'quick' }, true],
    [{ wait: 0, body: 512, include: '/one', fields: { a: 'b' } }, true],
    [{ include: ['/one', '/two'], source: 'http://host/' }, true],
    [{ routes: [{ to: 'a' }, { to: 'b', weight: 5 }] }, true],
    [{ admin: ':9990', healthFile: '/h', logLevel: 'warn', gracePeriod: '5s' }, true],
    [{ count: 501 }, false],
    [{ wait: 5 }, false],
    [{ wait: 'soon' }, false],
    [{ body: 'lots' }, false],
    [{ body: -1 }, false],
    [{ fast: 'perhaps' }, false],
    [{ mode: 'fast' }, false],
    [{ include: 5 }, false],
    [{ routes: [{ weight: 5 }] }, false],
    [{ routes: [{ to: 'a', nope: 1 }] }, false],
    [{ nope: 1 }, false],
    [{ queue: 'no-slash' }, false],
  ];
  for (const [data, good] of cases) {
    const whole = { queue: '/q', ...data };
    assert.equal(validate(whole), good, `${JSON.stringify(data)}: ${ajv.errorsText()}`);
    assert.equal(taken(whole), good, JSON.stringify(data));
  }
});

test('the defaults in the schema are good by the schema and read back as themselves', () => {
  const properties = schema.properties as Record<string, { default?: unknown }>;
  const defaults = Object.fromEntries(
    Object.entries(properties).flatMap(([key, { default: usual }]) =>
      usual === undefined ? [] : [[key, usual]],
    ),
  );
  assert.equal(validate(defaults), true, ajv.errorsText(validate.errors));
  assert.deepEqual(valuesOf(table, { queue: '/q', ...defaults }), valuesOf(table, { queue: '/q' }));
  assert.deepEqual(defaults.include, ['/a', '/b']);
  assert.deepEqual(defaults.fields, { app: 'shop' });
  assert.equal(defaults.wait, '1.5s');
  assert.equal(defaults.count, 20);
});
