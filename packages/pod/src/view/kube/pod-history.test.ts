import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ContainerStatus, PodStatusObject } from '../../lifecycle/status.ts';
import { PodHistory } from './pod-history.ts';

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
    status: { conditions: [], initContainerStatuses: [], containerStatuses: [status] },
  } as unknown as PodStatusObject;
}

test('changes of a status become the events that the runner would have recorded', () => {
  const events = new PodHistory('u');
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

test('a Pod that is seen late became ready when its conditions say', () => {
  const events = new PodHistory('u');
  const seen = pod({ state: { running: { startedAt: at(1) } }, started: true, ready: true });
  const conditions = [{ type: 'ContainersReady', status: 'True', lastTransitionTime: at(3) }];
  events.observe({ ...seen, status: { ...seen.status, conditions } } as never, new Date(at(50)));
  assert.deepEqual(
    events.recorded.map(({ time, reason }) => [time.slice(17, 19), reason]),
    [
      ['01', 'Started'],
      ['03', 'StartupPassed'],
      ['03', 'Ready'],
    ],
  );
});

test('a failed probe that the kubelet reports again and again is one event each time', () => {
  const events = new PodHistory('u');
  const report = (count: number, second: number, reason = 'Unhealthy') =>
    events.report({
      metadata: { name: `app.${reason}` },
      involvedObject: { uid: 'u', fieldPath: 'spec.containers{app}' },
      reason,
      message: 'Readiness probe failed: 503',
      count,
      firstTimestamp: at(2),
      lastTimestamp: at(second),
    });
  events.observe(pod({ state: { running: { startedAt: at(1) } } }), new Date(at(1)));
  events.note(new Date(at(9)), 'Updated', undefined, 'later');
  assert.deepEqual(
    [report(3, 4), report(3, 4), report(4, 5), report(1, 6, 'Scheduled')],
    [true, false, true, false],
  );
  assert.deepEqual(
    events.recorded.map(({ time, reason, container }) => [time.slice(17, 19), reason, container]),
    [
      ['01', 'Started', 'app'],
      ['02', 'Unhealthy', 'app'],
      ['04', 'Unhealthy', 'app'],
      ['05', 'Unhealthy', 'app'],
      ['09', 'Updated', undefined],
    ],
  );
});

test('a run that came and went between two observations is not lost', () => {
  const events = new PodHistory('u');
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
