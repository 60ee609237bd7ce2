import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { availableParallelism, loadavg } from 'node:os';
import { test } from 'node:test';
import { staysTrueFor } from '@sidekit/test-kit';
import { parse, stringify } from 'yaml';
import { lifecyclePod } from './lifecycle-pod.ts';
import { OwnStore } from './own-store.ts';

const PODS = 10;
/** How long the probes run next to busy cores, in milliseconds. */
const DURATION = 120_000;
/** The highest load for each core at which a command can be expected to end within a second. */
const LOAD = 4;

/** Returns why the test would show nothing here; false if it does. */
function obstacle(): string | false {
  if (process.env.SIDEKIT_LONG !== '1') return 'only in the long form';
  if (process.env.POD_ENGINE === 'kube') return "a cluster's probes are those of its own kubelet";
  const [load = 0] = loadavg();
  const busy = load > LOAD * availableParallelism();
  return busy && `the machine is too busy by itself: load ${load.toFixed(0)}`;
}

const SPEC = `
containers:
- name: main
  run: main
  livenessProbe:
    exec: {command: [/nodejs/bin/node, --version]}
    periodSeconds: 2
    timeoutSeconds: 1
    failureThreshold: 3`;

test(`${PODS} Pods with exec probes are not restarted while all cores are busy`, {
  skip: obstacle(),
}, async () => {
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
  /** Lists the events of the Pods that were restarted. */
  const restarted = async () => {
    const items: Item[] = JSON.parse(await store.pod('ps', '-o', 'json')).items;
    assert.equal(items.length, PODS);
    const wrong = items.filter((one) => one.status.containerStatuses[0]?.restartCount !== 0);
    return Promise.all(wrong.map(({ metadata: { name } }) => store.pod('events', name)));
  };
  const busy = Array.from({ length: availableParallelism() }, () =>
    spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }),
  );
  try {
    const none = async () => {
      assert.deepEqual(await restarted(), []);
      return true;
    };
    await staysTrueFor(none, DURATION, { what: 'no Pod was restarted', interval: 2000 });
  } finally {
    for (const one of busy) one.kill('SIGKILL');
  }
});

interface Item {
  readonly metadata: { readonly name: string };
  readonly status: { readonly containerStatuses: readonly { readonly restartCount: number }[] };
}
