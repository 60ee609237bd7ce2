import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { eventually } from '@sidekit/test-kit';
import { stringify } from 'yaml';
import { lifecycleJob } from './lifecycle-pod.ts';
import { OwnStore } from './own-store.ts';

// The Job controller's part; on a cluster it is the cluster's own.
const local = process.env.POD_ENGINE === 'kube' ? describe.skip : describe;

const FAILS = 'containers: [{name: a, run: "a exit=0,3"}]';

function job(name: string, spec: string, fields: object): string {
  return lifecycleJob(name, `restartPolicy: Never\n${spec}`, fields);
}

interface Listed {
  readonly metadata: { readonly name: string };
  readonly status: { readonly phase: string };
}

async function phases(store: OwnStore): Promise<string[]> {
  const { items } = JSON.parse(await store.pod('ps', '-o', 'json'));
  return items.map(({ status }: Listed) => status.phase).toSorted();
}

local('a Job whose Pods are not restarted', { concurrency: 4 }, () => {
  test('gets a new Pod for each that fails, until its backoffLimit is reached', async () => {
    await using store = new OwnStore();
    const path = store.file('job.yaml', job('lc-job-fails', FAILS, { backoffLimit: 2 }));
    const { code, stdout } = await store.try(['up', path, '--backoff-base', '200ms']);
    assert.equal(code, 70, stdout);
    assert.deepEqual(await phases(store), ['Failed', 'Failed', 'Failed']);
    assert.match(stdout, /BackOff +Job lc-job-fails: a new Pod in 0\.2s, 1 failed, backoffLimit 2/);
    assert.match(stdout, /a new Pod in 0\.4s, 2 failed/);
    assert.match(stdout, /BackoffLimitExceeded +Job lc-job-fails: .* the specified backoff limit/);
    await store.pod('down', '-f', path);
    assert.deepEqual(await phases(store), []);
  });

  test('succeeds with the first Pod that does, also one made after a failure', async () => {
    await using store = new OwnStore();
    const shared = join(store.directory, 'shared');
    mkdirSync(shared);
    chmodSync(shared, 0o777);
    // mkdir of Node: the second of its Pods finds the folder of the first.
    const script =
      "require('fs').existsSync('/shared/x') || (require('fs').mkdirSync('/shared/x'), process.exit(1))";
    const spec = stringify({
      volumes: [{ name: 'shared', hostPath: { path: shared } }],
      containers: [
        {
          name: 'a',
          command: ['/nodejs/bin/node', '-e', script],
          volumeMounts: [{ name: 'shared', mountPath: '/shared' }],
        },
      ],
    });
    const path = store.file('job.yaml', job('lc-job-second', spec, { backoffLimit: 3 }));
    await store.pod('up', path, '--allow-host', '--backoff-base', '100ms');
    assert.deepEqual(await phases(store), ['Failed', 'Succeeded']);
  });

  test('runs the requested completions, parallelism at once', async () => {
    await using store = new OwnStore();
    const fields = { completions: 5, parallelism: 2 };
    const path = store.file(
      'job.yaml',
      job('lc-job-five', 'containers: [{name: a, run: "a exit=0,0"}]', fields),
    );
    await store.pod('up', path);
    assert.deepEqual(await phases(store), Array(5).fill('Succeeded'));
  });

  test('that is ended while it waits for its next Pod makes none', async () => {
    await using store = new OwnStore();
    const path = store.file('job.yaml', job('lc-job-ended', FAILS, { backoffLimit: 2 }));
    assert.equal((await store.try(['up', path, '--timeout', '1s'])).code, 69);
    const folder = join(store.directory, 'pods');
    const first = await eventually(() => readdirSync(folder)[0], { what: 'the Pod of the Job' });
    const waits = async () => /BackOff/.test(await store.pod('events', first));
    await eventually(waits, { what: 'a Job that waits' });
    await store.pod('down', first);
    assert.deepEqual(readdirSync(folder), []);
  });

  test('fails at its deadline, whatever its backoffLimit, and ends its other Pods', async () => {
    await using store = new OwnStore();
    const fields = { backoffLimit: 5, activeDeadlineSeconds: 2 };
    const path = store.file(
      'job.yaml',
      job('lc-job-late', 'containers: [{name: a, run: a}]', fields),
    );
    const { code, stdout } = await store.try(['up', path]);
    assert.equal(code, 70, stdout);
    assert.deepEqual(await phases(store), ['Failed']);
    assert.match(stdout, /DeadlineExceeded +Job lc-job-late: Job was active longer/);
  });
});
