import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '@sidekit/test-kit';
import { stringify } from 'yaml';
import { must } from '../engine/command.ts';
import { lifecyclePod } from './lifecycle-pod.ts';
import { OwnStore } from './own-store.ts';

// Ways of `pod` to recover, and what it keeps; a cluster has ways of its own.
const local = process.env.POD_ENGINE === 'kube' ? test.skip : test;
const engine = process.env.POD_ENGINE ?? 'podman';

local('a sandbox that is killed is created again, and with it all containers', async () => {
  await using store = new OwnStore();
  const spec = `
terminationGracePeriodSeconds: 1
initContainers: [{name: i, run: "i exit=0,0"}]
containers: [{name: a, run: a}]`;
  await store.pod('up', store.file('lost.yaml', lifecyclePod('lc-lost', spec)));
  const filters = [
    'label=dev.sidekit.pod=lc-lost',
    `label=dev.sidekit.pod.store=${store.directory}`,
  ];
  const words = filters.flatMap((filter) => ['--filter', filter]);
  const names = await must(engine, ['ps', ...words, '--format', '{{.Names}}']);
  const sandbox = names.split('\n').find((name) => /^pod-lc-lost-[0-9a-f]{8}$/.test(name));
  await must(engine, ['kill', sandbox ?? '']);
  await eventually(
    async () => {
      const events = await store.pod('events', 'lc-lost');
      const starts = events.match(/ i +Started/g)?.length;
      return starts === 2 && /lc-lost +1\/1 +Running/.test(await store.pod('ps'));
    },
    { what: 'the Pod is Ready in a new sandbox', timeout: 120_000, interval: 500 },
  );
  assert.match(await store.pod('events', 'lc-lost'), /SandboxChanged/);
});

local('a claim is kept until down --volumes', async () => {
  await using store = new OwnStore();
  const claim = stringify({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'lc-claim' },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Mi' } } },
  });
  const spec = `
restartPolicy: Never
securityContext: {fsGroup: 4242}
containers: [{name: a, run: "a exit=0,0", volumeMounts: [{name: kept, mountPath: /kept}]}]
volumes: [{name: kept, persistentVolumeClaim: {claimName: lc-claim}}]`;
  await store.pod('up', store.file('claim.yaml', lifecyclePod('lc-claimant', spec, claim)));
  await store.pod('down', 'lc-claimant');
  assert.match(await store.pod('volumes'), /default +lc-claim/);
  await store.pod('up', store.file('claim.yaml', lifecyclePod('lc-claimant', spec, claim)));
  assert.match(
    await store.pod('down', 'lc-claimant', '--volumes'),
    /claim default\/lc-claim removed/,
  );
  assert.match(await store.pod('volumes'), /no claims are kept/);
});
