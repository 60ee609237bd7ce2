import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from '@sidekit/test-kit';
import { podOf } from '../lifecycle/testing/simulation.ts';
import { claimFolder, keptClaims } from './claims.ts';
import { PodVolumes, removeVolumes } from './pod-volumes.ts';

test('a claim outlives the volumes of its Pod', async () => {
  using directory = temporaryDirectory('claims');
  const data = directory.path;
  const claim = claimFolder(data, 'default', 'db');
  const pod = podOf(`
containers: [{name: a, image: x, volumeMounts: [{name: v, mountPath: /v}]}]
volumes: [{name: v, emptyDir: {}}]`);
  const [volume] = pod.spec.volumes;
  assert.ok(volume);
  const claimed = { name: 'v', persistentVolumeClaim: { claimName: 'db', readOnly: false } };
  const spec = { ...pod.spec, volumes: [{ ...volume, emptyDir: undefined, ...claimed }] };
  const volumes = new PodVolumes(join(data, 'uid'), { ...pod, spec });
  await volumes.make();
  const [mount] = volumes.mounts('a', spec.containers[0]?.volumeMounts ?? []);
  assert.deepEqual(mount, { source: claim, target: '/v', readOnly: false });
  writeFileSync(join(claim, 'file'), '');
  removeVolumes(join(data, 'uid'));
  assert.deepEqual(keptClaims(data), [{ namespace: 'default', name: 'db', path: claim }]);
});

test('the name of a claim never leads elsewhere', () => {
  for (const name of ['..', '../x', 'a/b', '', 'a..b', '.', '/etc', 'A']) {
    assert.throws(() => claimFolder('/data', 'default', name), /is not the name of a claim/, name);
    assert.throws(() => claimFolder('/data', name, 'x'), /is not the name of a claim/, name);
  }
});
