import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { eventually } from '@sidekit/test-kit';
import { stringify } from 'yaml';
import { must } from '../engine/command.ts';
import { lifecyclePod } from './lifecycle-pod.ts';
import { leftOf, OwnStore, tracesOf } from './own-store.ts';

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
    { what: 'the Pod is Ready in a new sandbox', interval: 500 },
  );
  assert.match(await store.pod('events', 'lc-lost'), /SandboxChanged/);
});

local(
  'containers of any user read their volumes, whatever the umask of who starts them',
  async () => {
    await using store = new OwnStore();
    const file = store.file(
      'umask.yaml',
      lifecyclePod('lc-umask', 'containers: [{name: a, run: a}]'),
    );
    const before = process.umask(0o077);
    const up = store.pod('up', file);
    process.umask(before);
    await up;
    const read = 'fs.readFileSync("/toolbox/toolbox.cjs"), fs.readFileSync("/etc/hosts", "utf8")';
    const out = await store.pod('exec', 'lc-umask', '--', '/nodejs/bin/node', '-p', read);
    assert.match(out, /localhost/);
  },
);

local(
  'a Pod that is applied again while two commands remove it is a new Pod, and stays',
  async () => {
    await using store = new OwnStore();
    const spec = `
terminationGracePeriodSeconds: 15
containers: [{name: a, run: "a term=ignore"}]`;
    const file = store.file('again.yaml', lifecyclePod('lc-again', spec));
    await store.pod('up', file);
    const downs = [1, 2].map(() => store.try(['down', 'lc-again']));
    // On a loaded machine it may be gone before it was seen.
    await eventually(async () => /Terminating|no Pods/.test(await store.pod('ps')), {
      what: 'the Pod is terminating',
      interval: 50,
    });
    await store.pod('up', file);
    await Promise.all(downs);
    assert.match(await store.pod('ps'), /lc-again +1\/1 +Running/);
  },
);

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

local('a hostPath that is missing is waited for', async () => {
  await using store = new OwnStore();
  const path = join(store.directory, 'host');
  const spec = `
terminationGracePeriodSeconds: 1
containers: [{name: a, run: a, volumeMounts: [{name: host, mountPath: /host}]}]
volumes: [{name: host, hostPath: {path: ${path}, type: Directory}}]`;
  const file = store.file('host.yaml', lifecyclePod('lc-mount', spec));
  await store.try(['up', file, '--allow-host', '--timeout', '1ms']);
  const failed = async () =>
    /FailedMount .*is not a directory/.test(await store.pod('events', 'lc-mount'));
  await eventually(failed, { what: 'the mount has failed', interval: 200 });
  mkdirSync(path);
  await eventually(async () => /lc-mount +1\/1 +Running/.test(await store.pod('ps')), {
    what: 'the Pod runs',
    interval: 200,
  });
});

local('a Pod that waits for its volumes can be removed', async () => {
  await using store = new OwnStore();
  const spec = `
containers: [{name: a, run: a, volumeMounts: [{name: host, mountPath: /host}]}]
volumes: [{name: host, hostPath: {path: ${join(store.directory, 'host')}, type: Directory}}]`;
  const file = store.file('host.yaml', lifecyclePod('lc-unmounted', spec));
  await store.try(['up', file, '--allow-host', '--timeout', '1ms']);
  assert.match(await store.pod('down', 'lc-unmounted'), /lc-unmounted removed/);
});

local(
  'a full state folder ends no Pod: its status is written once there is room',
  {
    skip: process.getuid?.() !== 0 && 'needs root to mount a file system',
  },
  async () => {
    await using store = new OwnStore();
    const pods = join(store.directory, 'pods');
    mkdirSync(pods, { mode: 0o700 });
    await must('mount', ['-t', 'tmpfs', '-o', 'size=1m,mode=0700', 'tmpfs', pods]);
    try {
      const spec = 'terminationGracePeriodSeconds: 1\ncontainers: [{name: a, run: a}]';
      await store.pod('up', store.file('full.yaml', lifecyclePod('lc-full', spec)));
      const supervisor = store.supervisor('lc-full');
      const filler = join(pods, 'lc-full/filler');
      assert.throws(() => writeFileSync(filler, Buffer.alloc(2 ** 20)), /ENOSPC/);
      const { items } = JSON.parse(await store.pod('ps', '-o', 'json'));
      const id = items[0].status.containerStatuses[0].containerID.replace(/^\w+:\/\//, '');
      await must(engine, ['kill', id]);
      const restarted = async () => {
        const ids = await must(engine, [
          'ps',
          '-q',
          '--no-trunc',
          '--filter',
          'label=dev.sidekit.pod=lc-full',
          '--filter',
          `label=dev.sidekit.pod.store=${store.directory}`,
        ]);
        // The sandbox and the new run of the container.
        return ids.trim().split('\n').length === 2 && !ids.includes(id);
      };
      await eventually(restarted, {
        what: 'the container is restarted',
        interval: 200,
      });
      rmSync(filler);
      await eventually(async () => /lc-full +1\/1 +Running +1/.test(await store.pod('ps')), {
        what: 'the status says so',
        interval: 200,
      });
      assert.equal(store.supervisor('lc-full'), supervisor);
      await store.pod('down', '--all');
      assert.deepEqual(readdirSync(pods), []);
    } finally {
      await store.try(['down', '--all', '--grace-period', '1s']);
      await must('umount', [pods]);
    }
  },
);

local('a Pod with the longest name runs, and leaves nothing', async () => {
  await using store = new OwnStore();
  const name = `lc-${'x'.repeat(249)}y`;
  assert.equal(name.length, 253);
  const short = lifecyclePod(
    'lc-long',
    'terminationGracePeriodSeconds: 1\ncontainers: [{name: a, run: a}]',
  );
  const manifest = short.replace('name: lc-long\n', `name: ${name}\n`);
  await store.pod('up', store.file('long.yaml', manifest));
  const traces = await tracesOf(store);
  assert.match(await store.pod('ps'), new RegExp(`^${name} +1/1 +Running`, 'm'));
  await eventually(async () => (await store.pod('logs', name)).includes('a starts'), {
    what: 'its log is printed',
  });
  assert.match(await store.pod('events', name), /Started/);
  assert.equal(await store.pod('exec', name, '--', '/nodejs/bin/node', '-p', '1'), '1\n');
  await store.pod('down', name);
  assert.deepEqual(await leftOf(traces, store), []);
});

local('the log of a container is rotated, and its end is what logs prints', async () => {
  await using store = new OwnStore();
  // 40 MiB in lines of 1 KiB.
  const program = `const line = 'x'.repeat(1023); let count = 0;
    const write = () => { while (count < 40 * 1024) { count++; if (!process.stdout.write(line + '\\n')) return process.stdout.once('drain', write) } console.log('the end') };
    write(); process.on('SIGTERM', () => process.exit()); setInterval(() => {}, 1e6)`;
  const command = JSON.stringify(['/nodejs/bin/node', '-e', program.replaceAll(/\n\s*/g, ' ')]);
  const spec = `terminationGracePeriodSeconds: 1\ncontainers: [{name: a, command: ${command}}]`;
  await store.pod('up', store.file('noisy.yaml', lifecyclePod('lc-noisy', spec)));
  await eventually(
    async () => (await store.pod('logs', 'lc-noisy', '--tail', '1')).trim() === 'the end',
    { what: 'the end of the log', interval: 500 },
  );
  const { items } = JSON.parse(await store.pod('ps', '-o', 'json'));
  const id = items[0].status.containerStatuses[0].containerID.replace(/^\w+:\/\//, '');
  const [{ LogPath = '', HostConfig }] = JSON.parse(
    await must(engine, ['inspect', '--type=container', id]),
  );
  const path = HostConfig.LogConfig?.Path || LogPath;
  const folder = dirname(path);
  const sizes = readdirSync(folder)
    .filter((name) => /\.log(\.\d+)?$/.test(name))
    .map((name) => statSync(join(folder, name)).size);
  assert.ok(sizes.length > 0);
  // Podman keeps one file of 10 MiB, Docker five.
  const most = (engine === 'podman' ? 1 : 5) * 10 * 2 ** 20 + 2 ** 16;
  const sum = sizes.reduce((all, size) => all + size, 0);
  assert.ok(sum <= most, `${sum} bytes`);
});
