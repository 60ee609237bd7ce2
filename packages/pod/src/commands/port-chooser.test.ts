import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from '@sidekit/test-kit';
import { podOf } from '../lifecycle/testing/simulation.ts';
import type { ServiceObject } from '../manifest/types.ts';
import { PortClaims } from '../store/port-claims.ts';
import type { PodRecord } from '../store/record.ts';
import { PodStore } from '../store/store.ts';
import { PortChooser } from './port-chooser.ts';

const pod = podOf('containers: [{name: a, image: x}]');
const called = (name: string) => ({ ...pod, metadata: { ...pod.metadata, name } });
const service = (name: string) => ({ metadata: { ...pod.metadata, name } }) as ServiceObject;

const open = (path: string) => PodStore.open({ root: path, data: join(path, 'volumes') });

/** A command that chooses ports, as `up` does. */
function command(store: PodStore) {
  const claims = new PortClaims(store.ports);
  return { claims, chooser: new PortChooser(store, claims) };
}

/** A port of 127.0.0.1 that nobody has; below those that are given to connections. */
async function freePort(store: PodStore): Promise<number> {
  const { claims, chooser } = command(store);
  using _ = claims;
  return await chooser.forPod(called('free'), 21_873);
}

test('two commands at the same time choose different ports, and one Service gets one', async () => {
  using directory = temporaryDirectory('ports');
  const store = open(directory.path);
  const port = await freePort(store);
  const first = command(store);
  const second = command(store);
  using _ = first.claims;
  using __ = second.claims;
  assert.equal(await first.chooser.forService(service('a'), { port, targetPort: 1 }), port);
  assert.equal(await second.chooser.forService(service('a'), { port, targetPort: 1 }), port);
  const others = [
    await second.chooser.forService(service('b'), { port, targetPort: 1 }),
    await second.chooser.forPod(called('a'), port),
    await first.chooser.forPod(called('b'), port),
  ];
  assert.equal(new Set([port, ...others]).size, 4);
  await assert.rejects(
    second.chooser.forService(service('c'), { port: 80, targetPort: 1, nodePort: port }),
    {
      message: `Service c: nodePort ${port} of 127.0.0.1 is taken: free it, or leave nodePort out`,
    },
  );
});

test('a port that a running Pod has recorded and not opened yet is its own alone', async () => {
  using directory = temporaryDirectory('ports');
  const store = open(directory.path);
  const port = await freePort(store);
  const early = command(store);
  const add = (name: string, record: Pick<PodRecord, 'services' | 'forwards'>) => {
    const folder = store.pod(name);
    mkdirSync(folder.path);
    folder.record = { pod: called(name), ...record } as PodRecord;
    folder.pid = process.pid;
  };
  process.title = 'supervise';
  add('one', { services: [], forwards: [{ containerPort: 8080, host: port }] });
  using late = command(store).claims;
  assert.notEqual(await early.chooser.forPod(called('two'), port), port);
  early.claims[Symbol.dispose]();
  const chooser = new PortChooser(store, late);
  assert.notEqual(await chooser.forPod(called('two'), port), port);
  assert.equal(await chooser.forPod(called('one'), 8080), port, 'replaced, it keeps its port');
});

test('nothing is left of claims, not even of a command that was killed', async () => {
  using directory = temporaryDirectory('ports');
  const store = open(directory.path);
  const port = await freePort(store);
  assert.deepEqual(readdirSync(store.ports), []);
  // No process has this number: the kernel's largest is 2^22.
  symlinkSync(`${2 ** 22 + 1} Pod default/killed:1`, join(store.ports, String(port)));
  open(directory.path);
  assert.deepEqual(readdirSync(store.ports), []);
});
