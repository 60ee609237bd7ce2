import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ContainerStatus, PodStatusObject } from '../lifecycle/status.ts';
import { KubeEvents } from './kube-events.ts';

const at = (second: number) => `2026-11-26T08:00:${String(second).padStart(2, '0')}Z`;

function pod(container: Partial<ContainerStatus>): PodStatusObject {
  const status = {
    name: 'app',
    ready: false,
    started: false,
    state: {},
    lastState: {},
    ...container,
  };
  return {
    metadata: { name: 'p', uid: 'u' },
    status: { initContainerStatuses: [], containerStatuses: [status] },
  } as unknown as PodStatusObject;
}

test('changes of a status become the events that the runner would have recorded', () => {
  const events = new KubeEvents('u');
  const terminated = {
    exitCode: 1,
    reason: 'Error',
    startedAt: at(1),
    finishedAt: at(4),
    containerID: 'a',
  };
  const states: Partial<ContainerStatus>[] = [
    { state: { waiting: { reason: 'ContainerCreating' } } },
    { state: { running: { startedAt: at(1) } } },
    { state: { running: { startedAt: at(1) } }, started: true, ready: true },
    {
      state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 10s' } },
      lastState: { terminated },
    },
    { state: { running: { startedAt: at(15) } }, started: true, lastState: { terminated } },
  ];
  for (const [i, state] of states.entries()) events.observe(pod(state), new Date(at(20 + i)));
  assert.deepEqual(
    events.recorded.map(({ time, reason }) => [time.slice(17, 19), reason]),
    [
      ['01', 'Started'],
      ['22', 'StartupPassed'],
      ['22', 'Ready'],
      ['04', 'Exited'],
      ['23', 'BackOff'],
      ['15', 'Started'],
      ['24', 'StartupPassed'],
    ],
  );
});

test('a run that came and went between two observations is not lost', () => {
  const events = new KubeEvents('u');
  const terminated = {
    exitCode: 0,
    reason: 'Completed',
    startedAt: at(1),
    finishedAt: at(2),
    containerID: 'a',
  };
  events.observe(pod({ state: { terminated } }), new Date(at(3)));
  assert.deepEqual(
    events.recorded.map(({ reason }) => reason),
    ['Started', 'Exited'],
  );
});
