import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InOrder } from './in-order.ts';

test('the first task prints at once, and the others when it is their turn', () => {
  const lines: string[] = [];
  const output = new InOrder((line) => lines.push(line));
  const [a, b, c] = [output.task(), output.task(), output.task()];
  b.write('b1');
  a.write('a1');
  assert.deepEqual(lines, ['a1']);
  c.write('c1');
  c.end();
  a.end();
  assert.deepEqual(lines, ['a1', 'b1']);
  b.write('b2');
  assert.equal(lines.at(-1), 'b2', 'b prints at once now');
  b.end();
  assert.deepEqual(lines, ['a1', 'b1', 'b2', 'c1']);
});

test('a task that comes after all others have ended prints at once', () => {
  const lines: string[] = [];
  const output = new InOrder((line) => lines.push(line));
  output.task().end();
  output.task().write('late');
  assert.deepEqual(lines, ['late']);
});
