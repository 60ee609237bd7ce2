import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Fault, faultText } from '../errors.ts';
import { table } from '../testing/table.ts';
import { type Environment, readEnvironment } from './environment.ts';

function read(environment: Environment) {
  const faults: Fault[] = [];
  const found = readEnvironment(table, environment, (fault) => faults.push(fault));
  return {
    values: Object.fromEntries([...found].map(([key, { value }]) => [key, value])),
    faults: faults.map(faultText),
  };
}

test('variables of the prefix are read, others are not looked at', () => {
  assert.deepEqual(
    read({ GADGET_QUEUE: '/q', GADGET_LOG_LEVEL: 'debug', GADGET_CONFIG: '/c', HOME: '/' }),
    { values: { queue: '/q', logLevel: 'debug', config: '/c' }, faults: [] },
  );
});

test('a list is separated by commas or line feeds', () => {
  assert.deepEqual(read({ GADGET_INCLUDE: '/a, /b\n/c,' }).values.include, ['/a', '/b', '/c']);
});

for (const [given, items] of [
  ['/logs/{a,b}.log, x{1,{2,3}}\n{open, /c', ['/logs/{a,b}.log', 'x{1,{2,3}}', '{open', '/c']],
  ['a[,]b.log,c', ['a[,]b.log', 'c']],
  ['[!,]x,[],]y,[^],]z', ['[!,]x', '[],]y', '[^],]z']],
  ['app[1].log,[open,b]', ['app[1].log', '[open,b]']],
  ['[open,b', ['[open', 'b']],
  ['{a,{b,c}.log', ['{a', '{b,c}.log']],
  ['a},b', ['a}', 'b']],
  ['{a\nb},c', ['{a', 'b}', 'c']],
] as const) {
  test(`commas in closed braces and brackets do not separate: ${JSON.stringify(given)}`, () => {
    assert.deepEqual(read({ GADGET_INCLUDE: given }).values.include, items);
  });
}

test('a variable that only opens braces and brackets is read in linear time', () => {
  const given = '{['.repeat(500_000);
  assert.deepEqual(read({ GADGET_INCLUDE: given }).values.include, [given]);
});

test('an unknown variable of the prefix is refused with the nearest known one', () => {
  assert.deepEqual(read({ GADGET_QUEEU: '/q' }).faults, [
    'GADGET_QUEEU is not a known variable: did you mean GADGET_QUEUE?',
  ]);
  assert.equal(read({ GADGET_ROUTES: 'x' }).faults.length, 1, 'an option of the file only');
});

test('variables of another command with the same prefix are left alone', () => {
  assert.deepEqual(read({ GADGET_BATCH: '1' }), { values: {}, faults: [] });
});

test('what Kubernetes injects for Services called like the program is tolerated', () => {
  const links = {
    GADGET_SERVICE_HOST: '10.0.0.1',
    GADGET_SERVICE_PORT: '80',
    GADGET_SERVICE_PORT_HTTP_ADMIN: '80',
    GADGET_PORT: 'tcp://10.0.0.1:80',
    GADGET_PORT_80_TCP: 'tcp://10.0.0.1:80',
    GADGET_PORT_80_TCP_PROTO: 'tcp',
    GADGET_PORT_80_TCP_PORT: '80',
    GADGET_PORT_80_TCP_ADDR: '10.0.0.1',
    GADGET_PORT_53_UDP_ADDR: '10.0.0.1',
    GADGET_BLUE_SERVICE_HOST: '10.0.0.2',
    GADGET_BLUE_PORT: 'tcp://10.0.0.2:80',
  };
  assert.deepEqual(read(links), { values: {}, faults: [] });
});
