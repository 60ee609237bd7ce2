import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { test } from 'node:test';
import { staysTrueFor } from '@sidekit/test-kit';
import { parse, stringify } from 'yaml';
import { lifecyclePod } from './lifecycle-pod.ts';
import { OwnStore } from './own-store.ts';

const LONG = process.env.SIDEKIT_LONG === '1';
const PODS = LONG ? 10 : 3;
/** How long the probes run next to busy cores, in milliseconds. */
const DURATION = LONG ? 120_000 : 10_000;

// A cluster's probes are those of its own kubelet.
const local = process.env.POD_ENGINE === 'kube' ? test.skip : test;

const SPEC = `
containers:
- name: main
  run: main
  livenessProbe:
    exec: {command: [/nodejs/bin/node, --version]}
    periodSeconds: 2
    timeoutSeconds: 1
    failureThreshold: 3`;

local(`${PODS} Pods with exec probes are not restarted while all cores are busy`, async () => {
  await using store = new OwnStore();
  const [pod = '', toolbox = ''] = lifecyclePod('lc-busy', SPEC).split('---\n');
  const labels = { app: 'lc-busy' };
  const deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'lc-busy' },
    spec: {
      replicas: PODS,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: parse(pod).spec },
    },
  };
  await store.pod('up', store.file('busy.yaml', [stringify(deployment), toolbox].join('---\n')));
  const restarts = async () => {
    const { items } = JSON.parse(await store.pod('ps', '-o', 'json'));
    assert.equal(items.length, PODS);
    return items.map((one: Item) => one.status.containerStatuses[0]?.restartCount);
  };
  const busy = Array.from({ length: availableParallelism() }, () =>
    spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }),
  );
  try {
    const none = async () => (await restarts()).every((count: number) => count === 0);
    await staysTrueFor(none, DURATION, { what: 'no Pod was restarted', interval: 2000 });
  } finally {
    for (const one of busy) one.kill('SIGKILL');
  }
});

interface Item {
  readonly status: { readonly containerStatuses: readonly { readonly restartCount: number }[] };
}
