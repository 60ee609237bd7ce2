import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseData } from './parse.ts';

test('data is parsed by the extension of its file', async () => {
  assert.deepEqual(await parseData('{"a": [1, "x"]}', 'd.json'), { a: [1, 'x'] });
  assert.deepEqual(await parseData('a: [1, x]', 'd.YAML'), { a: [1, 'x'] });
  assert.equal(await parseData('a: 1', 'd.txt'), 'a: 1');
});

test('an error names the place, and quotes nothing of the file', async () => {
  const level = (name: string, below: string) => `${name}: &${name} [${`*${below},`.repeat(10)}]`;
  const expanding = ['a: &a [1,2,3]', level('b', 'a'), level('c', 'b'), level('d', 'c')].join('\n');
  const cases: readonly [path: string, text: string, message: RegExp][] = [
    ['d.json', '{"a": 1,\n}', /^d\.json:2:1 is not JSON \(Expected double-quoted.*\): correct it$/],
    ['d.json', '{"a": [\n', /^d\.json:2:1 is not JSON \(Unexpected end of\): correct it$/],
    ['d.json', '{"secret": hush}', /^d\.json is not JSON \(Unexpected token 'h'\): correct it$/],
    ['d.yaml', 'a: 1\nb: [', /^d\.yaml:\d+:\d+ is not YAML/],
    ['d.yaml', 'a: 1\na: 2', /^d\.yaml:2:1 is not YAML \(Map keys must be unique\)/],
    ['d.yaml', expanding, /^d\.yaml cannot be used \(Excessive alias count/],
  ];
  for (const [path, text, message] of cases) {
    await assert.rejects(parseData(text, path), { reason: 'data', message });
  }
});

test('YAML that would take more memory than a container has is refused, and JSON is not', async () => {
  const items = 'x,'.repeat(100_000);
  const expected = { reason: 'too_large', message: /60,000 YAML tokens: write it as JSON/ };
  await assert.rejects(parseData(`[${items}]`, 'd.yaml'), expected);
  const deep = { reason: 'too_large', message: /nested too deeply: write it as JSON/ };
  await assert.rejects(parseData('['.repeat(5000), 'd.yaml'), deep);
  const parsed = await parseData(`[${items.replaceAll('x', '1')}1]`, 'd.json');
  assert.equal((parsed as unknown[]).length, 100_001);
});
