import assert from 'node:assert/strict';
import { test } from 'node:test';
import { demoNames } from './demo.ts';
import { without } from './scenes/scene.ts';
import { STAGES } from './stages.ts';

/** The pattern is that of message-queue-at-least-once, and a consumer that is killed here ends the Pod. */
const WITHOUT = ['message-queue'];

test('every Pod of the demo has a fault on stage', () => {
  const staged = Object.keys(STAGES).toSorted();
  assert.deepEqual(
    staged,
    demoNames().filter((name) => !WITHOUT.includes(name)),
  );
});

test('a manifest without some of its Pods keeps everything else', () => {
  const pod = (name: string) => `kind: Pod\nmetadata:\n  name: ${name}\n`;
  const service = 'kind: Service\nmetadata:\n  name: b\n';
  const manifest = ['# Two.\n', pod('a'), '---\n', service, '---\n', pod('b')].join('');
  assert.equal(without(manifest, 'b'), `# Two.\n${pod('a')}---\n${service}`);
});
