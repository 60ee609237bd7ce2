import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shellBlocks } from './blocks.ts';
import { matchesOutput } from './output.ts';
import { inTurn } from './turns.ts';

const page = (...parts: string[]) => parts.join('\n');

test('a block is found with its line and the output that follows', () => {
  const text = page('# A', '', '```sh', 'echo a', '```', '', '```text', 'a', '```', '');
  assert.deepEqual(shellBlocks(text), [
    { line: 4, script: 'echo a\n', output: 'a\n', need: undefined },
  ]);
});

test('an output belongs to a block only where nothing stands between them', () => {
  const text = page('```sh', 'echo a', '```', 'prose', '```text', 'a', '```');
  assert.equal(shellBlocks(text)[0]?.output, undefined);
});

test('a block of a list is read without its indent', () => {
  const [block] = shellBlocks(page('- so:', '  ```sh', '  echo a', '  echo b', '  ```'));
  assert.equal(block?.script.trim(), 'echo a\necho b');
});

test('what a block needs is what its reader sees in its first line', () => {
  const [block] = shellBlocks(page('```sh', '# Needs a cluster.', 'kubectl get pods', '```'));
  assert.equal(block?.need, 'cluster');
  assert.throws(
    () => shellBlocks(page('```sh', '# Needs a miracle.', 'true', '```')),
    /line 2: # Needs a miracle\. is none of/,
  );
});

test('a block that is fenced as another shell cannot escape', () => {
  assert.throws(() => shellBlocks(page('a', '```bash', 'false', '```')), /line 2: fence it as sh/);
});

test('times, durations, addresses and widths may differ', () => {
  const shown = '08:43:24.059  a/b   Started  10.88.2.20  after 31ms  +0.4s\n';
  assert.ok(matchesOutput('11:00:00.100  a/b  Started  172.17.0.2   after 2ms  +12.456s', shown));
  assert.ok(!matchesOutput('11:00:00.100  a/b  Stopped  172.17.0.2   after 2ms  +12.456s', shown));
});

test('an ellipsis stands for text of its line, alone for lines', () => {
  assert.ok(matchesOutput('a 1 b\nc\nd\ne\n', 'a … b\n…\ne\n'));
  assert.ok(matchesOutput('a xyz b\ne\n', 'a … b\n…\ne\n'));
  assert.ok(!matchesOutput('a 1 b\nc\n', 'a … b\n'));
  assert.ok(!matchesOutput('a 1\nb\n', 'a … b\n'));
});

test('signs of regular expressions stand for themselves', () => {
  assert.ok(matchesOutput('{"a":"b.c?"} [x] 2/2 (y)\n', '{"a":"b.c?"} [x] 2/2 (y)\n'));
  assert.ok(!matchesOutput('axc\n', 'a.c\n'));
});

test('pages that share a manifest run one after another, others at once', async () => {
  const order: string[] = [];
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();
  const first = inTurn(['a', 'b'], () => gate.then(() => order.push('first')));
  const second = inTurn(['b'], async () => order.push('second'));
  await inTurn(['c'], async () => order.push('other'));
  open();
  await Promise.all([first, second]);
  assert.deepEqual(order, ['other', 'first', 'second']);
});
