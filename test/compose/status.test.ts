import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ComposeContainer, type PodManifest, podStatus } from '../engine/compose-status.ts';
import { hasEnded, isReady } from '../engine/engine.ts';

/** The Pod status that the suite derives from compose's containers. */

function container(Status: string, ExitCode = 0, health?: string): ComposeContainer {
  const state = { Status, ExitCode, ...(health ? { Health: { Status: health } } : {}) };
  return { id: 'x', restarts: 0, state, networks: { n: { IPAddress: '192.0.2.1' } } };
}

function pod(restartPolicy: string): PodManifest {
  return {
    metadata: { name: 'p' },
    spec: {
      restartPolicy,
      initContainers: [{ name: 'init' }, { name: 'sidecar', restartPolicy: 'Always' }],
      containers: [{ name: 'app' }],
    },
  };
}

function look(
  restartPolicy: string,
  init: ComposeContainer,
  sidecar: ComposeContainer,
  app: ComposeContainer,
) {
  const containers = {
    p: container('running'),
    'p-init': init,
    'p-sidecar': sidecar,
    'p-app': app,
  };
  return podStatus(pod(restartPolicy), new Map(Object.entries(containers)));
}

const done = container('exited');
const healthy = container('running', 0, 'healthy');

test('a Pod is Ready when init containers have ended well and the others are healthy', () => {
  const status = look('Always', done, healthy, healthy);
  assert.ok(isReady(status));
  assert.equal(status.status.podIP, '192.0.2.1');
  assert.ok(!isReady(look('Always', container('running'), healthy, healthy)));
  assert.ok(!isReady(look('Always', container('exited', 1), healthy, healthy)));
  assert.ok(!isReady(look('Always', done, container('running', 0, 'starting'), healthy)));
  assert.ok(!isReady(look('Always', done, healthy, container('created'))));
});

test('a Pod has ended when its ordinary containers have, sidecars or not', () => {
  assert.equal(look('Never', done, healthy, done).status.phase, 'Succeeded');
  assert.equal(look('Never', done, healthy, container('exited', 70)).status.phase, 'Failed');
  assert.ok(!hasEnded(look('Never', done, healthy, healthy)));
  assert.ok(!hasEnded(look('Always', done, healthy, done)));
  assert.equal(look('OnFailure', done, healthy, done).status.phase, 'Succeeded');
  assert.ok(!hasEnded(look('OnFailure', done, healthy, container('exited', 70))));
});
