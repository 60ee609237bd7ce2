import assert from 'node:assert/strict';
import { test } from 'node:test';
import { servicesOf } from './services.ts';
import { withDefaults } from './with-defaults.ts';

const pod = withDefaults({
  metadata: {
    name: 'shop',
    labels: { app: 'shop', tier: 'web' },
    annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}', kept: 'yes' },
  },
  spec: { containers: [{ name: 'web', ports: [{ name: 'http', containerPort: 8080 }] }] },
  status: {},
} as never);

const service = (name: string, selector: Record<string, string> | undefined, targetPort: unknown) =>
  ({ metadata: { name }, spec: { selector, ports: [{ port: 80, targetPort }] } }) as never;

test('the Services that select a Pod lead to the ports that their names mean', () => {
  const services = [
    service('by-name', { app: 'shop' }, 'http'),
    service('by-number', { app: 'shop', tier: 'web' }, 9000),
    service('other', { app: 'shop', tier: 'db' }, 'http'),
    service('external', undefined, 'http'),
    service('same', { tier: 'web' }, undefined),
  ];
  assert.deepEqual(
    servicesOf(pod, services).map(({ name, ports }) => [name, ports[0]?.target]),
    [
      ['by-name', 8080],
      ['by-number', 9000],
      ['same', 80],
    ],
  );
});

test("an API server's Pod is filled in, without kubectl's copy of its manifest", () => {
  assert.deepEqual(pod.metadata.annotations, { kept: 'yes' });
  assert.deepEqual(
    [pod.spec.volumes, pod.spec.initContainers, pod.status.conditions],
    [[], [], []],
  );
});
