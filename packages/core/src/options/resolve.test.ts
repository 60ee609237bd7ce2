import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from '@sidekit/test-kit';
import { ExitCode, UsageError } from '../errors.ts';
import { table } from '../testing/table.ts';
import type { Environment } from './environment.ts';
import { resolveOptions } from './resolve.ts';
import { integer } from './scalars.ts';
import { defineOptions, option } from './table.ts';

async function run(argv: readonly string[], environment: Environment = {}) {
  const invocation = await resolveOptions(table, { argv, environment });
  assert.equal(invocation.kind, 'run');
  return invocation as Extract<typeof invocation, { kind: 'run' }>;
}

async function faults(argv: readonly string[], environment: Environment = {}) {
  const error = await run(argv, environment).catch((error: unknown) => error);
  assert.ok(error instanceof UsageError, String(error));
  assert.equal(error.exitCode, ExitCode.usage);
  return error.message.split('\n');
}

test('flags go before variables, variables before the file, the file before defaults', async () => {
  using directory = temporaryDirectory();
  const config = join(directory.path, 'c.yaml');
  writeFileSync(config, 'queue: /file\ncount: 30\nbody: 1KiB\nwait: 2s\n');
  const { values } = await run(['--config', config, '--queue', '/flag'], {
    GADGET_QUEUE: '/variable',
    GADGET_COUNT: '40',
  });
  assert.equal(values.queue, '/flag');
  assert.equal(values.count, 40);
  assert.equal(values.body, 1024);
  assert.equal(values.wait, 2000);
  assert.equal(values.mode, 'slow');
  assert.equal((await run(['--queue', '/q'], { GADGET_CONFIG: config })).values.count, 30);
});

test('keys of every object, and numbers that JSON lacks, are faults as others are', async () => {
  using directory = temporaryDirectory();
  const config = join(directory.path, 'c.yaml');
  writeFileSync(config, '__proto__: 1\nconstructor: 2\ncount: .inf\n');
  assert.deepEqual(await faults(['--config', config, '--queue', '/q']), [
    `${config}: __proto__ is not a known key`,
    `${config}: constructor is not a known key`,
    `${config}: count Infinity must be a whole number: write a number 1–500`,
  ]);
});

test('all faults of all sources are reported at once', async () => {
  using directory = temporaryDirectory();
  const config = join(directory.path, 'c.yaml');
  const lines = ['wiat: 2s', 'count: many', 'routes:', '  - weight: 200', '  - {to: x, wieght: 1}'];
  writeFileSync(config, lines.join('\n'));
  assert.deepEqual(
    await faults(['--config', config, '--queue', 'nope', '--fsat'], {
      GADGET_BODY: 'lots',
      GADGET_WIAT: '1s',
    }),
    [
      '--fsat is not a known flag: did you mean --fast?',
      'GADGET_WIAT is not a known variable: did you mean GADGET_WAIT?',
      `${config}: wiat is not a known key: did you mean wait?`,
      '--queue "nope" must start with a slash: write /nope',
      `${config}: count "many" must be a whole number: write a number 1–500`,
      'GADGET_BODY "lots" must be a size in bytes: write a number with its unit, such as 8KiB',
      'routes[0].to is missing: add to: text',
      'routes[0].weight 200 must be 0–100: write 100 or less',
      'routes[1].wieght is not a known key: did you mean weight?',
    ],
  );
});

test('a required option that is missing is named', async () => {
  assert.deepEqual(await faults([]), ['--queue is missing: give --queue <queue name>']);
});

test('rules between options are checked once each value is good', async () => {
  assert.deepEqual(await faults(['--queue', '/q', '--count', '200']), [
    '--count 200 must be at most 100 with --fast',
  ]);
  assert.equal((await run(['--queue', '/q', '--count', '200', '--no-fast'])).values.count, 200);
});

test('rules between parts are checked whatever faults other parts have', async () => {
  const parts = defineOptions({
    command: 'parts',
    summary: 'has rules between parts',
    prefix: 'PARTS',
    options: {
      low: option(integer(0, 9), { description: 'The lower number.', default: 3 }),
      high: option(integer(0, 9), { description: 'The higher number.', default: 5 }),
      other: option(integer(0, 9), { description: 'Another number.' }),
    },
    checkParts: ({ low, high }, written, report) => {
      if (low === undefined || high === undefined || low <= high) return;
      report({ name: '--low', value: written.low, rule: `must be at most ${high}` });
    },
  });
  const all = async (...argv: readonly string[]) => {
    const error = await resolveOptions(parts, { argv, environment: {} }).catch((one) => one);
    return error instanceof UsageError ? error.message.split('\n') : [];
  };
  const other = '--other "x" must be a whole number: write a number 0–9';
  assert.deepEqual(await all('--low', '7', '--other', 'x'), [other, '--low "7" must be at most 5']);
  assert.deepEqual(await all('--low', '7', '--high', 'x', '--other', 'x'), [
    '--high "x" must be a whole number: write a number 0–9',
    other,
  ]);
  assert.deepEqual(await all('--low', '5'), []);
  const missing = await all('--low', '7', '--config', '/nowhere/c.yaml');
  assert.equal(missing.length, 1, 'what the file says is not known');
});

test('a fault of a rule between options names them as they were written', async () => {
  using directory = temporaryDirectory();
  const config = join(directory.path, 'c.yaml');
  writeFileSync(config, 'low: 7\n');
  const rules = defineOptions({
    command: 'rules',
    summary: 'has rules between options',
    prefix: 'RULES',
    options: {
      low: option(integer(0, 9), { description: 'The lower number.', default: 3 }),
      veryHigh: option(integer(0, 9), { description: 'The higher number.', default: 2 }),
    },
    check: (_values, _operands, report) => {
      report({ name: 'low, veryHigh', rule: 'are in the wrong order' });
      report({ name: 'low.part', rule: 'is no option' });
    },
  });
  const named = async (argv: readonly string[], environment: Environment = {}) => {
    const error = await resolveOptions(rules, { argv, environment }).catch((one) => one);
    return (error as UsageError).faults.map(({ name }) => name);
  };
  assert.deepEqual(await named([]), ['--low, --very-high', 'low.part']);
  const given = { RULES_VERY_HIGH: '1', RULES_CONFIG: config };
  assert.deepEqual(await named([], given), [`${config}: low, RULES_VERY_HIGH`, 'low.part']);
  assert.deepEqual(await named(['--low', '8'], given), ['--low, RULES_VERY_HIGH', 'low.part']);
});

test('what differs from the defaults is listed, without secrets and passwords', async () => {
  using directory = temporaryDirectory();
  const config = join(directory.path, 'c.yaml');
  writeFileSync(config, 'routes: [{to: a, key: k-secret}]\n');
  const { changed } = await run(
    ['--queue', '/q', '--count', '20', '--source', 'http://anna:s3cret@host/x', '--token', 't-1'],
    { GADGET_CONFIG: config },
  );
  assert.deepEqual(changed, {
    queue: '/q',
    source: 'http://redacted@host/x',
    token: 'redacted',
    routes: '{"to":"a","weight":1,"key":"redacted"}',
  });
});

test('no fault shows a secret or a password', async () => {
  using directory = temporaryDirectory();
  const config = join(directory.path, 'c.yaml');
  writeFileSync(config, 'routes: [{to: a, key: s3cret}]\n');
  const found = await faults(
    ['--queue', '/q', '--token', 's3cret', '--source', 'ftp://anna:s3cret@host/x'],
    { GADGET_CONFIG: config },
  );
  assert.deepEqual(found, [
    '--source "ftp://redacted@host/x" must have the scheme http or https: write it as http://host:port/path',
    '--token must start with t-',
    'routes[0].key must start with k-',
  ]);
});

test('help and version win over faults', async () => {
  const inputs = { argv: ['--nope', '--help'], environment: {} };
  assert.deepEqual(await resolveOptions(table, inputs), { kind: 'help' });
  assert.deepEqual(await resolveOptions(table, { argv: ['--version'], environment: {} }), {
    kind: 'version',
  });
});

test('an option whose variable a Service could set is refused by its author', () => {
  for (const key of ['port', 'adminPort', 'fooServiceHost']) {
    assert.throws(
      () =>
        defineOptions({
          command: 'x',
          summary: 'x',
          prefix: 'X',
          options: { [key]: option(integer(), { description: 'x' }) },
        }),
      /would clash/,
    );
  }
});
