import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasDotSegment, RouteTable, withoutPrefix } from './route-table.ts';

const table = new RouteTable([
  [{ host: undefined, prefix: '' }, 'default'],
  [{ host: undefined, prefix: '/api' }, 'api'],
  [{ host: undefined, prefix: '/api/v2' }, 'v2'],
  [{ host: 'shop.example', prefix: '' }, 'shop'],
  [{ host: '*.example', prefix: '/img' }, 'images'],
] as const);

test('the most specific host is first, then the longest prefix of complete segments', () => {
  for (const [host, target, found] of [
    ['a', '/', 'default'],
    ['a', '/api', 'api'],
    ['a', '/api?x', 'api'],
    ['a', '/api/x', 'api'],
    ['a', '/apis', 'default'],
    ['a', '/api/v2/x', 'v2'],
    ['a', '/api/v22', 'api'],
    ['a', '/API', 'default'],
    ['SHOP.example:8080', '/api', 'shop'],
    ['shop.example.', '/', 'shop'],
    ['www.example', '/img/1', 'images'],
    ['www.example', '/x', 'default'],
    ['example', '/img', 'default'],
    ['a', '*', 'default'],
    ['shop.example', '*', 'shop'],
    ['www.example', '*', 'default'],
  ] as const)
    assert.equal(table.find(host, target) ?? 'default', found, `${host}${target}`);
});

test('a stripped target stays a path', () => {
  assert.deepEqual(
    ['/api', '/api/', '/api/x?y', '/api?y'].map((target) => withoutPrefix(target, '/api')),
    ['/', '/', '/x?y', '/?y'],
  );
});

test('dot segments are found in every spelling, and nowhere else', () => {
  for (const target of [
    '/a/..',
    '/../a',
    '/./a',
    '/a/%2e%2E/b',
    '/a/.%2e',
    '/a%2f../b',
    '/a\\..\\b',
    '/a/..;x/b',
  ])
    assert.ok(hasDotSegment(target), target);
  for (const target of ['/a..b', '/...', '/.well-known/x', '/a?x=/../', '/a.'])
    assert.ok(!hasDotSegment(target), target);
});
