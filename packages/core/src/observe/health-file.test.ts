import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually, temporaryDirectory } from '@sidekit/test-kit';
import { Health } from './health.ts';
import { keepHealthFile } from './health-file.ts';
import { createLog } from './log.ts';

function listening() {
  const lines: string[] = [];
  return { lines, log: createLog({ name: 'test', write: (line) => lines.push(line) }) };
}

test('the file follows the health, readable by other users', async () => {
  using directory = temporaryDirectory();
  const path = join(directory.path, 'health.json');
  const health = new Health();
  const queue = health.condition('queue', 'ready');
  const end = keepHealthFile(path, health, listening().log);
  const status = () => JSON.parse(readFileSync(path, 'utf8')).ready.status;
  await eventually(() => status() === 'unavailable', { what: 'the first file' });
  assert.equal(statSync(path).mode & 0o777, 0o644);
  queue.pass();
  await eventually(() => status() === 'ok', { what: 'the file after a change' });
  queue.fail('stopping');
  await end();
  const last = JSON.parse(readFileSync(path, 'utf8'));
  assert.deepEqual(last.ready.reasons, [{ name: 'queue', reason: 'stopping' }]);
  assert.equal(last.live.status, 'ok');
});

test('a file that cannot be written is a warning, and written once it can be', async () => {
  using directory = temporaryDirectory();
  const folder = join(directory.path, 'later');
  const { lines, log } = listening();
  const health = new Health();
  const end = keepHealthFile(join(folder, 'health.json'), health, log);
  await eventually(() => lines.length > 0, { what: 'a warning' });
  assert.match(lines[0]!, /the health file was not written.*ENOENT/);
  mkdirSync(folder);
  await end();
  assert.match(readFileSync(join(folder, 'health.json'), 'utf8'), /"ready"/);
});
