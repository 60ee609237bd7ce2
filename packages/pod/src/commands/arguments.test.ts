import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UsageError } from '@sidekit/core/tool';
import { readArguments } from './arguments.ts';
import { counterpart } from './counterparts.ts';

test('commands of kubectl are answered with their counterparts', () => {
  assert.equal(counterpart('delete'), 'use pod down POD');
  assert.equal(counterpart('scale'), 'change replicas in the file, then pod up FILE');
  assert.equal(counterpart('constructor'), undefined);
});

test('flags of kubectl are answered with their counterparts, all at once', () => {
  assert.throws(
    () => readArguments(['web', '--force', '--now', '-n', 'a', '--tine=5'], ['tail']),
    (error) => {
      assert.ok(error instanceof UsageError);
      assert.match(error.message, /--force is not a known flag: use --grace-period 0/);
      assert.match(error.message, /--now is not a known flag: use --grace-period 1/);
      assert.match(error.message, /-n is not a known flag: leave it out/);
      assert.match(error.message, /--tine is not a known flag: known are --tail/);
      return true;
    },
  );
});

test('a tail of -1 is the whole log, as for kubectl', () => {
  assert.equal(readArguments(['web', '--tail=-1'], ['tail']).text('tail'), undefined);
  assert.equal(readArguments(['web', '--tail', '5'], ['tail']).text('tail'), '5');
  assert.throws(() => readArguments(['web', '--tail=-2'], ['tail']), /must be a number of lines/);
});

test('every file of -f counts, and a word too many is refused', () => {
  const { files, words } = readArguments(['-f', 'a', 'b', '--filename=c'], ['filename']);
  assert.deepEqual([files, words], [['a', 'c'], ['b']]);
  assert.throws(
    () => readArguments(['web', 'app', 'x'], ['container'], 1),
    /app is a word too many: a container is named by -c\n.*x is a word too many/,
  );
});
