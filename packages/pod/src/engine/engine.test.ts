import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lastLine } from './engine.ts';

test('the error shows the reason, without the hint at the help', () => {
  const conflict = 'Conflict. The container name "/pod-a" is already in use.';
  for (const hint of [
    "\n\nRun 'docker run --help' for more information\n",
    "\nSee 'docker run --help'.\n",
  ])
    assert.equal(lastLine(`docker: Error response from daemon: ${conflict}${hint}`), conflict);
  assert.equal(lastLine('Trying to pull…\nError: no such image\n'), 'no such image');
  assert.equal(lastLine(''), '');
});
