import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Engine } from '../engine/engine.ts';
import { fakeEngine } from '../engine/testing/fake-engine.ts';
import { podOf } from '../lifecycle/testing/simulation.ts';
import type { PodRecord } from '../store/record.ts';
import type { Volumes } from '../volumes/volumes.ts';
import { startSandbox } from './sandbox.ts';

test('a Pod starts if another one creates the pause image in the same moment', async () => {
  let creations = 0;
  await using fake = await fakeEngine((request, response) => {
    if (!request.url?.endsWith('/containers/create')) {
      // The image of the other Pod, and what is asked of a container.
      response.end('{"Id":"a","State":{"Running":true}}');
    } else if (++creations > 1) {
      response.end('{"Id":"a"}');
    } else {
      response.statusCode = 404;
      response.end('{"message":"sidekit/pod-pause:1: image not known"}');
    }
  });
  const engine = new Engine({
    ...{ name: 'podman', socket: fake.socket, version: '1.41', rootless: false, direct: true },
  });
  const record = {
    ...{ pod: podOf('containers: [{name: a, image: x}]'), uid: 'uid', hostPorts: [], services: [] },
  } as unknown as PodRecord;
  const volumes = { sandboxMounts: [], prepare: async () => {} } as unknown as Volumes;
  const sandbox = await startSandbox(engine, record, {}, volumes);
  assert.equal(sandbox.id, 'a');
  assert.equal(creations, 2);
});
