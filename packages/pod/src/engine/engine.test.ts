import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Engine, lastLine } from './engine.ts';
import { fakeEngine } from './testing/fake-engine.ts';

test('a process of somebody else with the number of an engine elsewhere is neither read nor killed', async () => {
  const other = spawn('sleep', ['100']);
  const { pid } = other;
  await using fake = await fakeEngine((request, response) => {
    if (request.url?.endsWith('/exec')) return response.end('{"Id":"e"}');
    if (request.url?.endsWith('/start')) return response.flushHeaders();
    const state = { Running: true, Pid: pid };
    response.end(JSON.stringify({ ...state, ExitCode: null, State: state }));
  });
  const place = { socket: fake.socket, version: '1.41', rootless: false, direct: false };
  const engine = new Engine({ name: 'docker', ...place });
  const container = 'ab'.repeat(32);
  assert.equal((await engine.inspect(container))?.pid, 0);
  const result = await engine.exec({ container, argv: ['x'], timeout: 10, limit: 10 });
  assert.equal(result.type, 'timeout');
  assert.deepEqual([other.exitCode, other.signalCode], [null, null]);
  assert.match(readFileSync(`/proc/${pid}/stat`, 'utf8'), /\) [RS] /);
  other.kill();
});

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
