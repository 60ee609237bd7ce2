import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StopGate } from './stop-gate.ts';

function gateOf(gather: number) {
  const events: string[] = [];
  const gate = new StopGate({
    participants: ['app', 'worker'],
    gather,
    stop: () => events.push('stop'),
    alone: (names) => events.push(`alone ${names.join()}`),
  });
  const ask = (name: string) => gate.ask(name).then(() => void events.push(`${name} stops`));
  return { gate, events, ask };
}

test('when all participants ask, each waits until the plan lets it stop', async () => {
  const { gate, events, ask } = gateOf(60_000);
  const worker = ask('worker');
  const app = ask('app');
  assert.deepEqual(events, ['stop']);
  gate.letStop('worker');
  await worker;
  gate.open();
  await app;
  await ask('app');
  assert.deepEqual(events, ['stop', 'worker stops', 'app stops', 'app stops']);
});

test('a participant that asks alone is restarting, and goes on', async () => {
  const { events, ask } = gateOf(5);
  await Promise.all([ask('app'), ask('app')]);
  assert.deepEqual(events, ['alone app', 'app stops', 'app stops']);
});

test('a participant that asks after the plan let it stop is not held', async () => {
  const { gate, events, ask } = gateOf(60_000);
  gate.letStop('app');
  gate.begin();
  gate.letStop('worker');
  await ask('worker');
  const app = ask('app');
  assert.deepEqual(events, ['worker stops']);
  gate.open();
  await app;
});
