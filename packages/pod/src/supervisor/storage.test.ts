import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from '@sidekit/test-kit';
import { Engine } from '../engine/engine.ts';
import { fakeEngine } from '../engine/testing/fake-engine.ts';
import { podOf } from '../lifecycle/testing/simulation.ts';
import type { Volumes } from '../volumes/volumes.ts';
import { LocalStorage, podLimit } from './storage.ts';

const limit = (name: string, size: string, more = '') =>
  `{name: ${name}, image: x, ${more} resources: {limits: {ephemeral-storage: ${size}}}}`;

test('the limit of a Pod is that of its main containers and sidecars, or of a larger init container', () => {
  const of = (spec: string) => podLimit(podOf(spec).spec);
  assert.equal(of('containers: [{name: a, image: x}]'), undefined);
  assert.equal(
    of(`containers: [${limit('a', '10')}, ${limit('b', '20')}, {name: c, image: x}]`),
    30,
  );
  const sidecar = limit('s', '5', 'restartPolicy: Always,');
  assert.equal(
    of(`initContainers: [${sidecar}, ${limit('i', '8')}]\ncontainers: [${limit('a', '10')}]`),
    15,
  );
  assert.equal(
    of(`initContainers: [${sidecar}, ${limit('i', '50')}]\ncontainers: [${limit('a', '10')}]`),
    55,
  );
});

test('a container, and a Pod with its volumes and logs, over its limit is a reason to evict', async () => {
  using directory = temporaryDirectory('storage');
  const log = join(directory.path, 'log');
  writeFileSync(log, 'x'.repeat(40));
  let written = 50;
  await using fake = await fakeEngine((request, response) => {
    assert.match(request.url ?? '', /\/containers\/\w+\/json\?size=true/);
    response.end(JSON.stringify({ SizeRw: written, LogPath: log }));
  });
  const { socket } = fake;
  const engine = new Engine({
    name: 'docker',
    socket,
    version: '1.41',
    rootless: false,
    direct: true,
  });
  let emptyDirs = 0;
  const volumes = { overfull: async () => undefined, usage: async () => emptyDirs };
  const spec = podOf(`containers: [${limit('a', '100')}, ${limit('b', '1000')}]`).spec;
  const storage = new LocalStorage(engine, spec, volumes as unknown as Volumes);
  const running = [
    { id: 'a1', name: 'a' },
    { id: 'b1', name: 'b' },
  ];
  assert.equal(storage.limited, true);
  assert.equal(await storage.exceeded(running), undefined);
  written = 61;
  assert.equal(
    await storage.exceeded(running),
    'Container a exceeded its local ephemeral storage limit "100".',
  );
  assert.equal(await storage.exceeded([]), undefined);
  written = 50;
  emptyDirs = 1000;
  assert.equal(
    await storage.exceeded(running),
    'Pod ephemeral local storage usage exceeds the total limit of containers 1100.',
  );
});
