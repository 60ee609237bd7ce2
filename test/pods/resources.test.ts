import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from 'yaml';
import { command } from '../engine/command.ts';
import { applyPod } from '../engine/index.ts';
import { bytes, effectiveRequest, millicores, parseRequest } from '../support/effective-request.ts';
import { containersOf, type PodSpec } from '../support/pod-spec.ts';

const { metadata, spec } = parse(readFileSync('manifests/pods/resources.yaml', 'utf8')) as {
  metadata: { annotations: Record<string, string> };
  spec: PodSpec;
};

test('the effective request is the greater of what the start and the run need', (context) => {
  const said = metadata.annotations['sidekit.dev/effective-request'] ?? '';
  assert.deepEqual(effectiveRequest(spec), parseRequest(said));
  context.diagnostic(`effective request: ${said}`);
});

/** With rootless Podman on cgroup v1 `pod` notes that limits have no effect. */
const unlimited =
  process.env.POD_ENGINE === 'podman' &&
  process.getuid?.() !== 0 &&
  !existsSync('/sys/fs/cgroup/cgroup.controllers');

test('each container has the limit that it asks for, sidecar included', {
  skip: unlimited && 'an ordinary user has no limits on cgroup v1',
}, async () => {
  await using session = await applyPod('resources');
  await session.ready('resources');
  for (const { name, resources } of containersOf(spec)) {
    if (name === 'migrate') continue;
    const { stdout } = await session.exec('resources', name, [
      '/nodejs/bin/node',
      '-p',
      'process.constrainedMemory()',
    ]);
    const { limits } = resources as { limits: { memory: string } };
    assert.equal(Number(stdout), bytes(limits.memory), name);
  }
  if (process.env.POD_ENGINE === 'kube') assert.deepEqual(await onNode(), effectiveRequest(spec));
});

/** Returns the request that the node has reserved for the Pod. */
async function onNode() {
  const { stdout } = await command('kubectl', ['describe', 'nodes']);
  const [, cpu = '', memory = ''] =
    /^\s+sidekit-\S+\s+resources\s+(\S+) \(\d+%\)\s+\S+ \(\d+%\)\s+(\S+) \(/m.exec(stdout) ?? [];
  return { cpu: millicores(cpu), memory: bytes(memory) };
}
