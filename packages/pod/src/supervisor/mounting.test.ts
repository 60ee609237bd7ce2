import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ExpectedError } from '@sidekit/core/tool';
import { HostPathError } from '../volumes/host-path.ts';
import { keepTrying } from './mounting.ts';

test('volumes are set up again until it works: a hostPath may appear, a full disk be emptied', async () => {
  const failures: unknown[] = [];
  const causes = [new HostPathError('not there'), new Error('ENOSPC')];
  const set = await keepTrying(
    () => {
      const cause = causes.shift();
      if (cause) throw cause;
    },
    { onFailure: (error) => failures.push(error), signal: new AbortController().signal },
  );
  assert.equal(set, true);
  assert.deepEqual(failures.map(String), ['HostPathError: not there', 'Error: ENOSPC']);
});

test('what cannot work on this machine fails at once, and a stop ends the tries', async () => {
  const { signal } = new AbortController();
  const impossible = () => {
    throw new ExpectedError('needs root');
  };
  const onFailure = () => assert.fail('is no failure to wait for');
  await assert.rejects(keepTrying(impossible, { onFailure, signal }), /needs root/);
  const stop = new AbortController();
  const never = () => {
    throw new HostPathError('not there');
  };
  assert.equal(
    await keepTrying(never, { onFailure: () => stop.abort(), signal: stop.signal }),
    false,
  );
});
