import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { podSecurityFaults } from '../../scripts/support/pod-security/rules.ts';
import { type Container, containersOf, type PodTemplate } from '../support/pod-spec.ts';
import {
  COMPONENTS,
  type Component,
  KINDS,
  onlyTemplate,
  type Rendered,
  renderAll,
  renderWith,
  workload,
} from './render.ts';

/** The Pod of manifests/pods that shows each component's sidecar, and its container there. */
const SHOWN: Readonly<Record<Component, readonly [pod: string, container: string]>> = {
  ambassador: ['ambassador', 'proxy'],
  adapter: ['adapter', 'adapter'],
  'file-writer': ['shared-volume', 'writer'],
  'mq-producer': ['message-queue', 'producer'],
  'mq-consumer': ['message-queue', 'consumer'],
  'wait-for': ['wait-for', 'init-myservice'],
  coordinator: ['coordinator', 'coordinator'],
};

for (const name of COMPONENTS) {
  test(`${name} adds its sidecar to every kind of workload that has its label`, async () => {
    let earlier: PodTemplate | undefined;
    const rendered = await renderAll(
      KINDS.map((kind) => ({ components: [name], workloads: [workload(kind, [name])] })),
    );
    for (const [i, kind] of KINDS.entries()) {
      const template = onlyTemplate(rendered[i]!);
      const [first, ...others] = template.spec.initContainers ?? [];
      earlier ??= template;
      assert.deepEqual(first, earlier.spec.initContainers?.[0], `${kind} has another container`);
      assert.deepEqual(template.spec.volumes, earlier.spec.volumes, `${kind} has other volumes`);
      assert.equal(first?.name, `sidekit-${name}`, kind);
      assert.deepEqual(
        others.map((one) => one.name),
        ['migrate'],
        'their own init containers come after it',
      );
      assert.deepEqual(
        template.spec.containers.map((one) => one.name),
        ['app'],
        'their own container stays the first and only one',
      );
      assert.equal(first?.restartPolicy, name === 'wait-for' ? undefined : 'Always');
      assert.equal(template.metadata?.labels?.[`sidekit.dev/${name}`], 'true');
      check(template);
    }
  });

  test(`${name} leaves a workload without its label as it is`, async () => {
    const plain = workload('Deployment', []) as Rendered;
    const rendered = await renderWith([name], [plain]);
    assert.deepEqual(
      rendered.find(({ kind }) => kind === 'Deployment')?.spec,
      plain.spec as object,
    );
  });

  test(`${name} runs as in manifests/pods`, async () => {
    const template = onlyTemplate(await renderWith([name], [workload('Deployment', [name])]));
    const sidecar = containerOf(template, `sidekit-${name}`);
    const [pod, container] = SHOWN[name];
    const shown = shownContainer(pod, container);
    assert.equal(sidecar.image, shown.image);
    assert.equal(sidecar.imagePullPolicy, shown.imagePullPolicy);
    assert.deepEqual(sidecar.resources, shown.resources);
    // What the Pod of the manifest says for all containers, the component says for its own.
    assert.deepEqual(sidecar.securityContext, {
      ...shown.securityContext,
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    for (const probe of ['startupProbe', 'readinessProbe'] as const) {
      if (!shown[probe]) continue;
      const { httpGet, ...times } = sidecar[probe] ?? {};
      const { httpGet: shownGet, ...shownTimes } = shown[probe];
      assert.equal(httpGet?.path, shownGet?.path);
      assert.deepEqual(times, shownTimes);
    }
    const ports = (one: Container) => one.ports?.map(({ containerPort }) => containerPort);
    assert.deepEqual(ports(sidecar), ports(shown));
  });
}

test('the patch for Jobs does not touch a CronJob', async () => {
  const rendered = await renderWith(COMPONENTS, [workload('CronJob', COMPONENTS)]);
  const cronJob = rendered.find(({ kind }) => kind === 'CronJob');
  assert.deepEqual(Object.keys(cronJob?.spec ?? {}).toSorted(), ['jobTemplate', 'schedule']);
});

test('any two components go together, in either order', async () => {
  const orders = COMPONENTS.flatMap((a) =>
    COMPONENTS.filter((b) => b !== a).map((b): Component[] => [a, b]),
  );
  const rendered = await renderAll(
    orders.map((order) => ({ components: order, workloads: [workload('Deployment', order)] })),
  );
  for (const [i, order] of orders.entries()) {
    const template = onlyTemplate(rendered[i]!);
    assert.deepEqual(names(template), [...order.toReversed(), 'migrate'].map(sidekit));
    check(template);
  }
});

test('all components go together: the last of the list starts first', async () => {
  const rendered = await renderAll(
    KINDS.map((kind) => ({ components: COMPONENTS, workloads: [workload(kind, COMPONENTS)] })),
  );
  for (const one of rendered) {
    const template = onlyTemplate(one);
    assert.deepEqual(names(template), [...COMPONENTS.toReversed(), 'migrate'].map(sidekit));
    check(template);
  }
});

test('what only the user can know has no default, so that the sidecar refuses to start without it', async () => {
  for (const [component, key] of [
    ['wait-for', 'WAIT_FOR_TARGET'],
    ['file-writer', 'FILE_WRITER_SOURCE'],
    ['file-writer', 'FILE_WRITER_TARGET'],
  ] as const) {
    const rendered = await renderWith([component], [workload('Job', [component])]);
    const data = rendered.find(({ kind }) => kind === 'ConfigMap')?.data ?? {};
    assert.equal(data[key], undefined, key);
  }
});

test('two workloads of one kustomization each get the components of their own labels', async () => {
  const shop = workload('Deployment', ['ambassador']) as Rendered;
  const report = { ...workload('Job', ['wait-for']), metadata: { name: 'report', labels: {} } };
  report.metadata.labels = { 'sidekit.dev/wait-for': 'true' };
  const rendered = await renderWith(['ambassador', 'wait-for'], [shop, report]);
  const of = (kind: string) => onlyTemplate(rendered.filter((one) => one.kind === kind));
  assert.deepEqual(names(of('Deployment')), ['sidekit-ambassador', 'migrate']);
  assert.deepEqual(names(of('Job')), ['sidekit-wait-for', 'migrate']);
});

/** Asserts what must hold for every combination. */
function check(template: PodTemplate) {
  const { spec } = template;
  assert.deepEqual(podSecurityFaults(template), []);
  const containers = containersOf(spec);
  const ports = containers.flatMap(({ ports = [] }) => ports);
  assertDistinct(ports.map(({ containerPort }) => containerPort));
  assertDistinct(ports.map(({ name }) => name));
  for (const { name = '' } of ports) assert.ok(name.length <= 15, `${name} is a port's name`);
  const volumes = (spec.volumes ?? []).map(({ name }) => name);
  assertDistinct(volumes);
  assertDistinct(containers.map(({ name }) => name));
  for (const { volumeMounts = [] } of containers)
    for (const { name } of volumeMounts) assert.ok(volumes.includes(name), name);
}

function assertDistinct(values: readonly unknown[]) {
  assert.deepEqual([...new Set(values)], values);
}

function names({ spec }: PodTemplate): string[] {
  return (spec.initContainers ?? []).map(({ name }) => name);
}

function sidekit(name: string): string {
  return name === 'migrate' ? name : `sidekit-${name}`;
}

function containerOf({ spec }: PodTemplate, wanted: string): Container {
  const found = containersOf(spec).find(({ name }) => name === wanted);
  assert.ok(found, wanted);
  return found;
}

function shownContainer(pod: string, container: string): Container {
  const text = readFileSync(`manifests/pods/${pod}.yaml`, 'utf8');
  const templates = parseAllDocuments(text)
    .map((document) => document.toJS({ maxAliasCount: 100 }) as Rendered & PodTemplate)
    .filter(({ kind }) => kind === 'Pod');
  const found = templates
    .flatMap(({ spec }) => containersOf(spec))
    .find(({ name }) => name === container);
  assert.ok(found, `${pod}/${container}`);
  return found;
}
