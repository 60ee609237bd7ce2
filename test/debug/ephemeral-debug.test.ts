import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { eventually } from '@sidekit/test-kit';
import type { ContainerStatus, PodStatus } from '../engine/engine.ts';
import { TestNamespace } from '../engine/namespace.ts';

/** An image that is on the node already; it holds Node and no shell. */
const TOOLBOX = `sidekit/wait-for:${JSON.parse(readFileSync('package.json', 'utf8')).version}`;
const POD = 'ambassador';

interface DebuggedPod extends PodStatus {
  readonly spec: {
    readonly containers: readonly { readonly name: string; readonly command?: string[] }[];
    readonly ephemeralContainers?: readonly { readonly name: string; readonly resources: object }[];
  };
  readonly status: PodStatus['status'] & {
    readonly ephemeralContainerStatuses?: readonly ContainerStatus[];
  };
}

let namespace: TestNamespace;
before(async () => {
  namespace = await TestNamespace.create();
  await must(['apply', '-f', `manifests/pods/${POD}.yaml`]);
  await must(['wait', '--for=condition=Ready', `pod/${POD}`, '--timeout=90s']);
});
after(() => namespace?.[Symbol.asyncDispose]());

async function must(args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await namespace.kubectl(args);
  assert.equal(code, 0, `kubectl ${args.join(' ')}: ${stderr}${stdout}`);
  return stdout;
}

async function pod(name = POD): Promise<DebuggedPod> {
  return JSON.parse(await must(['get', 'pod', name, '-o', 'json']));
}

/** Puts an ephemeral container into the Pod, waits until it ended, and returns its output. */
async function debug(name: string, ...words: string[]): Promise<string> {
  const where = [`--image=${TOOLBOX}`, `--container=${name}`, '--target=proxy', '--quiet'];
  await must(['debug', POD, ...where, '--profile=restricted', ...words]);
  const ended = async () => {
    const { status } = await pod();
    const found = status.ephemeralContainerStatuses?.find((one) => one.name === name);
    return found?.state.terminated;
  };
  const { exitCode } = await eventually(ended, { what: `the end of ${name}` });
  const output = await must(['logs', POD, '-c', name]);
  assert.equal(exitCode, 0, output);
  return output;
}

test('a namespace that enforces restricted takes no debugger of another profile', async () => {
  const args = ['debug', POD, `--image=${TOOLBOX}`, '--target=proxy', '--profile=general'];
  const { code, stderr } = await namespace.kubectl([...args, '--', 'node', '-v']);
  assert.equal(code, 1);
  assert.match(stderr, /violates PodSecurity "restricted/);
  assert.equal((await pod()).spec.ephemeralContainers, undefined);
});

test('a toolbox reaches what only the Pod reaches, and disturbs none of its containers', async () => {
  const earlier = await pod();
  const targets = ['http://127.0.0.1:5000/', 'http://127.0.0.1:9901/readyz'];
  const output = await debug('toolbox', '--arguments-only', '--', '--once', ...targets);
  for (const target of targets) assert.ok(output.includes(`${target}: there`), output);
  const later = await pod();
  for (const kind of ['containerStatuses', 'initContainerStatuses'] as const) {
    assert.deepEqual(later.status[kind], earlier.status[kind]);
  }
  // It requests nothing: the scheduler placed the Pod without it.
  assert.deepEqual(
    later.spec.ephemeralContainers?.map(({ resources }) => resources),
    [{}],
  );
});

test('a toolbox sees the processes and the files of the container that it targets', async () => {
  const script = `
    const fs = require('node:fs');
    console.log(fs.readFileSync('/proc/1/cmdline', 'utf8').replaceAll('\\0', ' '));
    console.log(fs.readdirSync('/proc/1/root/app').join(' '));`;
  const output = await debug('inspector', '--', 'node', '-e', script);
  assert.match(output, /\/app\/main\.cjs --listen=:8080 --upstream=http:\/\/127\.0\.0\.1:5000/);
  assert.match(output, /\bbundle\.cjs\b/);
});

test('an ephemeral container stays in the Pod for good', async () => {
  await debug('guest', '--', 'node', '-v');
  const removal = JSON.stringify([{ op: 'remove', path: '/spec/ephemeralContainers/0' }]);
  const where = ['patch', 'pod', POD, '--subresource=ephemeralcontainers', '--type=json'];
  const { code, stderr } = await namespace.kubectl([...where, '-p', removal]);
  assert.equal(code, 1);
  assert.match(stderr, /may not be removed/);
});

test('a copy of the Pod runs another command, and no Service leads to it', async () => {
  const copy = `${POD}-copy`;
  const command = ['node', '-e', 'setInterval(() => {}, 1e6)'];
  const where = ['debug', POD, `--copy-to=${copy}`, '--container=app', '--profile=restricted'];
  await must([...where, '--', ...command]);
  const { metadata, spec } = await pod(copy);
  assert.equal(metadata.labels, undefined);
  assert.deepEqual(spec.containers.find(({ name }) => name === 'app')?.command, command);
  const runs = async () => {
    const { status } = await pod(copy);
    return status.containerStatuses?.find(({ name }) => name === 'app')?.state.running;
  };
  await eventually(runs, { what: 'the copied container with its own command' });
});
