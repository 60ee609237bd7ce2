import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Fault, faultText } from '../errors.ts';
import { Broken } from '../schema/reader.ts';
import { list, map, object } from './composites.ts';
import { boolean, choice, integer, number, text, url } from './scalars.ts';
import { option } from './table.ts';
import { readValue, refine, type Type } from './type.ts';

function read<T>(type: Type<T>, input: unknown) {
  const faults: Fault[] = [];
  const value = readValue(type, input, 'x', (fault) => faults.push(fault));
  return faults.length > 0 ? faults.map(faultText) : value;
}

const route = object({
  to: option(text(), { description: 'Where to.', required: true }),
  weight: option(integer(0, 100), { description: 'How often.', default: 1 }),
});

test('scalars keep their rules', () => {
  assert.equal(read(integer(1, 9), '7'), 7);
  assert.deepEqual(read(integer(1, 9), 10), ['x 10 must be 1–9: write 9 or less']);
  assert.deepEqual(read(integer(), '-1'), ['x "-1" must be ≥ 0: write 0 or more']);
  assert.deepEqual(read(integer(), '1.5'), ['x "1.5" must be a whole number: write a number ≥ 0']);
  assert.equal(read(number(0, 1), '0.25'), 0.25);
  assert.deepEqual(read(number(0, 1), 'x'), ['x "x" must be a number: write a number 0–1']);
  assert.equal(read(boolean, '0'), false);
  assert.deepEqual(read(boolean, 'yes'), ['x "yes" must be true or false: write true or false']);
  assert.deepEqual(read(choice('a', 'b'), 'c'), ['x "c" must be one of a, b']);
  assert.deepEqual(read(text(), 5), ['x 5 must be text: put it in quotes']);
  assert.equal(read(url('http'), 'http://h/'), 'http://h/');
  assert.deepEqual(read(url('http'), 'h/'), [
    'x "h/" must be an absolute URL: write it as http://host:port/path',
  ]);
});

test('a list takes one value or several and reports each bad one', () => {
  assert.deepEqual(read(list(integer()), '5'), [5]);
  assert.deepEqual(read(list(integer()), ['5', 6]), [5, 6]);
  assert.deepEqual(read(list(choice('a', 'b')), 'a,b'), [
    'x "a,b" must be one of a, b: repeat the flag, or write a list',
  ]);
  assert.equal((read(list(integer()), ['a', 6, 'b']) as string[]).length, 2);
});

test('a map takes name=value or an object', () => {
  assert.deepEqual(read(map(text()), ['a=1', 'b=c=d']), { a: '1', b: 'c=d' });
  assert.deepEqual(read(map(integer()), { a: 1 }), { a: 1 });
  assert.deepEqual(read(map(text()), ['a', '=b']), [
    'x "a" must be name=value: write x name=value',
    'x "=b" must be name=value: write x name=value',
  ]);
  assert.deepEqual(read(map(integer()), { a: 'z' }), [
    'x.a "z" must be a whole number: write a number ≥ 0',
  ]);
  assert.equal(Object.getPrototypeOf(read(map(text()), ['__proto__=x'])), Object.prototype);
});

test('an object fills defaults and reports each fault by its path', () => {
  assert.deepEqual(read(list(route), [{ to: 'a' }]), [{ to: 'a', weight: 1 }]);
  assert.deepEqual(read(list(route), [{ to: 'a' }, { weight: 101, tow: 'b' }]), [
    'x[1].tow is not a known key: did you mean to?',
    'x[1].to is missing: add to: text',
    'x[1].weight 101 must be 0–100: write 100 or less',
  ]);
  assert.deepEqual(read(route, 'a'), ['x "a" must be an object: write key: value lines']);
  assert.deepEqual(read(route, JSON.parse('{"to": "a", "__proto__": 1}')), [
    'x.__proto__ is not a known key: known are to, weight',
  ]);
});

test('a refined type keeps both rules', () => {
  const even = refine(integer(0, 10), (n) => (n % 2 ? new Broken('must be even') : undefined));
  assert.equal(read(even, '4'), 4);
  assert.deepEqual(read(even, '5'), ['x "5" must be even']);
  assert.deepEqual(read(even, '12'), ['x "12" must be 0–10: write 10 or less']);
});
