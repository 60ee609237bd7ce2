import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from '@sidekit/test-kit';
import { podOf } from '../lifecycle/testing/simulation.ts';
import { keepTrying } from '../supervisor/mounting.ts';
import { mountsBelow } from './bind-mount.ts';
import { PodVolumes, removeVolumes } from './pod-volumes.ts';

// Mounting needs root, and a kernel that lets it: a container of CI may not.
const root = process.platform === 'linux' && process.getuid?.() === 0 ? test : test.skip;

const pod = podOf(`
containers: [{name: a, image: a, volumeMounts: [{name: v, mountPath: /v, subPath: d/e}]}]
volumes: [{name: v, emptyDir: {}}]`);

root(
  'a subPath is mounted from its descriptor: the mount stays when its path becomes a link',
  async () => {
    using directory = temporaryDirectory('volumes');
    const path = join(directory.path, 'volumes');
    const volumes = new PodVolumes(path, pod);
    await volumes.make();
    const mounts = pod.spec.containers[0]?.volumeMounts ?? [];
    mkdirSync(join(path, 'v/d/e'), { recursive: true });
    writeFileSync(join(path, 'v/d/e/flag'), 'inside');
    const [mount] = volumes.mounts('a', mounts);
    assert.equal(readFileSync(join(mount?.source ?? '', 'flag'), 'utf8'), 'inside');
    assert.equal(mountsBelow(path).length, 1);
    // A second run of the container mounts it again, once.
    volumes.mounts('a', mounts);
    assert.equal(mountsBelow(path).length, 1);
    removeVolumes(path);
    assert.equal(mountsBelow(path).length, 0);
    assert.throws(() => readFileSync(join(path, 'v/d/e/flag')), /ENOENT/);
  },
);

root('a link that a container left in its volume is refused, not followed', async () => {
  using directory = temporaryDirectory('volumes');
  const path = join(directory.path, 'volumes');
  const host = join(directory.path, 'host');
  mkdirSync(host);
  const volumes = new PodVolumes(path, pod);
  await volumes.make();
  symlinkSync(host, join(path, 'v/d'));
  assert.throws(
    () => volumes.mounts('a', pod.spec.containers[0]?.volumeMounts ?? []),
    /subPath d\/e/,
  );
  removeVolumes(path);
});

root('a volume over its limit is found, whatever links and depth are in it', async () => {
  using directory = temporaryDirectory('volumes');
  const path = join(directory.path, 'volumes');
  const limited = podOf(`
containers: [{name: a, image: a}]
volumes: [{name: v, emptyDir: {sizeLimit: 4Mi}}]`);
  const volumes = new PodVolumes(path, limited);
  await volumes.make();
  symlinkSync('/', join(path, 'v/host'));
  symlinkSync('.', join(path, 'v/loop'));
  mkdirSync(join(path, 'v', ...Array.from({ length: 400 }, () => 'deep')), { recursive: true });
  assert.equal(await volumes.overfull(), undefined);
  writeFileSync(join(path, 'v/file'), Buffer.alloc(5 << 20, 1));
  assert.deepEqual(await volumes.overfull(), { name: 'v', limit: '4Mi' });
  removeVolumes(path);
});

test('a medium that a kubelet does not know is a failed mount, which is tried again', async () => {
  using directory = temporaryDirectory('volumes');
  const unknown = podOf(`
containers: [{name: a, image: a}]
volumes: [{name: v, emptyDir: {medium: Disk}}]`);
  const volumes = new PodVolumes(join(directory.path, 'volumes'), unknown);
  const failures: string[] = [];
  const stop = new AbortController();
  const onFailure = (error: unknown) => {
    failures.push(String(error));
    stop.abort();
  };
  assert.equal(await keepTrying(() => volumes.make(), { onFailure, signal: stop.signal }), false);
  assert.deepEqual(failures, ['Error: unknown storage medium "Disk"']);
});
