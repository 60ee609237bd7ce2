import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from '@sidekit/test-kit';
import { podOf } from '../lifecycle/testing/simulation.ts';
import type { PodObject } from '../manifest/types.ts';
import type { PodRecord } from '../store/record.ts';
import { PodStore } from '../store/store.ts';
import { findPods, podsOf, selectPods } from './select.ts';

const pod = podOf('containers: [{name: a, image: x}]');

function storeWith(path: string) {
  const store = PodStore.open({ root: path, data: join(path, 'volumes') });
  const add = (name: string, owner?: PodObject['owner']) => {
    mkdirSync(store.pod(name).path);
    const metadata = { ...pod.metadata, name };
    store.pod(name).record = { pod: { ...pod, metadata, owner } } as unknown as PodRecord;
  };
  add('web-a', { kind: 'Deployment', name: 'web' });
  add('web-b', { kind: 'Deployment', name: 'web' });
  add('db-0', { kind: 'StatefulSet', name: 'db' });
  add('bare');
  return store;
}

test('a Pod is found by its name, and by the name of its workload with or without the kind', () => {
  using directory = temporaryDirectory('select');
  const store = storeWith(directory.path);
  const found = (word: string) => findPods(store, word).map(({ name }) => name);
  assert.deepEqual(found('bare'), ['bare']);
  assert.deepEqual(found('pod/bare'), ['bare']);
  for (const word of ['web', 'deploy/web', 'deployment/web', 'Deployments/web']) {
    assert.deepEqual(found(word), ['web-a', 'web-b'], word);
  }
  assert.deepEqual(found('sts/db'), ['db-0']);
  for (const word of ['job/web', 'pod/web', 'nothing', 'deploy/bare']) {
    assert.deepEqual(found(word), [], word);
  }
  assert.throws(() => selectPods(store, 'nothing'), /no Pod nothing: there are bare, db-0, web-a/);
});

test('the Pods of a controller are those of its kind, name and namespace', () => {
  using directory = temporaryDirectory('select');
  const store = storeWith(directory.path);
  const names = (kind: 'Deployment' | 'StatefulSet', namespace: string) =>
    podsOf(store, [{ kind, namespace, name: 'web' }]).map(({ name }) => name);
  assert.deepEqual(names('Deployment', 'default'), ['web-a', 'web-b']);
  assert.deepEqual(names('StatefulSet', 'default'), []);
  assert.deepEqual(names('Deployment', 'other'), []);
});
