import assert from 'node:assert/strict';
import { readFileSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { scene } from '../testing/scene.ts';
import { fill, volume } from '../testing/volume.ts';

test('a full state volume is logged and counted, delivery continues, and the state is saved once there is room', async () => {
  await using s = await scene((directory) => ({ state: join(directory, 'small/state') }));
  using _ = volume(join(s.directory, 'small'), '64k');
  const filler = join(s.directory, 'small/filler');
  fill(filler);
  s.write('one\n');
  await s.settle();
  assert.deepEqual(s.messages(), ['one']);
  assert.ok(s.adapter.metric('adapter_checkpoint_failures_total') > 0);
  assert.match(s.errors.join(''), /state cannot be written.*ENOSPC/);
  assert.match(JSON.stringify(s.adapter.health.report('ready').warnings), /ENOSPC/);

  unlinkSync(filler);
  s.write('two\n');
  await s.settle();
  assert.deepEqual(s.adapter.health.report('ready').warnings, []);
  await s.restart('crash');
  await s.settle();
  assert.deepEqual(s.messages(), ['one', 'two']);
});

test('a full output volume holds records back, and leaves no torn or lost line once there is room', async () => {
  await using s = await scene((directory) => ({
    output: [`file:${join(directory, 'small/out.json')}`],
    batchBytes: 8192,
    bufferBytes: 32_768,
  }));
  using _ = volume(join(s.directory, 'small'), '2m');
  const out = join(s.directory, 'small/out.json');
  const filler = join(s.directory, 'small/filler');
  const read = () => readFileSync(out, 'utf8');
  s.write('first\n');
  await s.settle();
  fill(filler);
  const lines = Array.from({ length: 5000 }, (_line, i) => `line ${i} ${'x'.repeat(i % 90)}`);
  s.write(`${lines.join('\n')}\n`);
  await s.adapter.poll();
  await s.adapter.until('adapter_retries_total', (count) => count >= 3);
  assert.match(JSON.stringify(s.adapter.health.report('ready').warnings), /ENOSPC/);

  unlinkSync(filler);
  await s.settle();
  const records = read()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).message);
  assert.deepEqual(records, ['first', ...lines]);
});
