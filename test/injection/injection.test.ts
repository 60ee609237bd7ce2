import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eventually } from '@sidekit/test-kit';
import { command, must } from '../engine/command.ts';
import { TestNamespace } from '../engine/namespace.ts';
import type { Container, PodSpec } from '../support/pod-spec.ts';
import { deletePolicies, INJECTED, installPolicies, ORDER } from './policies.ts';

/** Creates labelled Pods on a real API server; every request is a dry run. */

const SETTINGS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'wait-for': { targets: 'tcp:db:5432' },
  'file-writer': { source: 'clock', target: '/files/index.html', files: '/srv' },
  coordinator: { plan: 'shop-plan', shared: '/shared' },
  adapter: { logs: '/var/log/app' },
};

let namespace: TestNamespace;
before(async () => {
  namespace = await TestNamespace.create({ labels: INJECTED });
  await installPolicies(namespace);
});
after(async () => {
  await deletePolicies();
  await namespace?.[Symbol.asyncDispose]();
});

interface Wanted {
  /** Labelled for, with the settings that each needs. */
  readonly sidecars?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly spec?: object;
  readonly namespace?: string;
}

const restricted = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };

function app(more: object = {}) {
  return { name: 'app', image: 'example.org/app:1', securityContext: restricted, ...more };
}

/** Creates a Pod by a dry run; the namespace enforces *restricted*. */
async function create(wanted: Wanted) {
  return command(
    'kubectl',
    [
      '-n',
      wanted.namespace ?? namespace.name,
      'create',
      '--dry-run=server',
      '-o',
      'json',
      '-f',
      '-',
    ],
    { input: JSON.stringify(podOf(wanted)) },
  );
}

function podOf({ sidecars = [], labels: more = {}, annotations = {}, spec = {} }: Wanted) {
  const given = sidecars.flatMap((name) =>
    Object.entries(SETTINGS[name] ?? {}).map(([key, value]) => [
      `${name}.sidekit.dev/${key}`,
      value,
    ]),
  );
  const chosen = Object.fromEntries(sidecars.map((name) => [`sidekit.dev/${name}`, 'true']));
  const labels = { ...chosen, ...more };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'shop',
      labels,
      annotations: { ...Object.fromEntries(given), ...annotations },
    },
    spec: {
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [app()],
      ...spec,
    },
  };
}

async function created(wanted: Wanted): Promise<PodSpec> {
  const { code, stdout, stderr } = await create(wanted);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout).spec;
}

async function refused(wanted: Wanted, reason: RegExp) {
  const { code, stderr } = await create(wanted);
  assert.equal(code, 1, stderr);
  assert.match(stderr, reason);
}

function names(containers: readonly Container[] = []) {
  return containers.map(({ name }) => name);
}

for (const name of ORDER) {
  test(`${name} is injected alone, in front of the Pod's own init containers`, async () => {
    for (const initContainers of [undefined, [app({ name: 'migrate' })]]) {
      const spec = await created({ sidecars: [name], spec: { initContainers } });
      const own = initContainers === undefined ? [] : ['migrate'];
      assert.deepEqual(names(spec.initContainers), [`sidekit-${name}`, ...own]);
      assert.deepEqual(names(spec.containers), ['app']);
      const [sidecar] = spec.initContainers ?? [];
      assert.match(sidecar?.image ?? '', /^docker\.io\/sidekit\/[a-z-]+:\d+\.\d+\.\d+$/);
      assert.deepEqual(sidecar?.resources, {
        requests: { cpu: '10m', memory: '64Mi' },
        limits: { memory: '128Mi' },
      });
    }
  });
}

test('all are injected in a defined order, whatever the order of labels', async () => {
  for (const sidecars of [ORDER, ORDER.toReversed()]) {
    const spec = await created({ sidecars });
    assert.deepEqual(
      names(spec.initContainers),
      ORDER.map((name) => `sidekit-${name}`),
    );
    const volumeMounts = spec.containers[0]?.volumeMounts ?? [];
    assert.deepEqual(Object.fromEntries(volumeMounts.map((one) => [one.name, one.mountPath])), {
      'sidekit-files': '/srv',
      'sidekit-logs': '/var/log/app',
      'sidekit-shared': '/shared',
    });
  }
});

test('annotations are settings, and the port follows the listener', async () => {
  const { initContainers: [proxy] = [] } = await created({
    sidecars: ['ambassador'],
    annotations: {
      'ambassador.sidekit.dev/upstream': 'http://127.0.0.1:3000',
      'ambassador.sidekit.dev/listen': ':8081',
    },
  });
  const { env, ports } = proxy as unknown as { env: object[]; ports: object[] };
  assert.deepEqual(env, [
    { name: 'AMBASSADOR_UPSTREAM', value: 'http://127.0.0.1:3000' },
    { name: 'AMBASSADOR_LISTEN', value: ':8081' },
    { name: 'AMBASSADOR_EXPOSED', value: '8081' },
  ]);
  assert.deepEqual(ports[0], { name: 'ambassador', containerPort: 8081, protocol: 'TCP' });
});

test('a ConfigMap of the user replaces the defaults', async () => {
  const { initContainers: [adapter] = [] } = await created({
    sidecars: ['adapter'],
    annotations: { 'adapter.sidekit.dev/config': 'my-adapter' },
  });
  const { env, envFrom } = adapter as unknown as { env?: object[]; envFrom: object[] };
  assert.deepEqual(env ?? [], []);
  assert.deepEqual(envFrom, [{ configMapRef: { name: 'my-adapter' } }]);
});

test('a Pod that has the container already, and one without a label, stay as they are', async () => {
  const own = app({ name: 'sidekit-ambassador', image: 'example.org/own:1' });
  const spec = await created({ sidecars: ['ambassador'], spec: { initContainers: [own] } });
  assert.deepEqual(
    spec.initContainers?.map(({ image }) => image),
    ['example.org/own:1'],
  );
  const other = { containers: [app(), own] };
  assert.deepEqual(
    await created({ sidecars: ['ambassador'], spec: other }),
    await created({ spec: other }),
  );
  await using elsewhere = await TestNamespace.create();
  assert.deepEqual(await created({}), await created({ namespace: elsewhere.name }));
});

test('a sidecar comes after those that precede it, wherever the Pod’s own containers are', async () => {
  const own = [app({ name: 'migrate' }), app({ name: 'sidekit-wait-for' }), app({ name: 'seed' })];
  const spec = await created({
    sidecars: ['ambassador', 'wait-for'],
    spec: { initContainers: own },
  });
  assert.deepEqual(names(spec.initContainers), [
    'migrate',
    'sidekit-wait-for',
    'sidekit-ambassador',
    'seed',
  ]);
});

test('a container that mounts the volume itself is not given a second mount', async () => {
  const mounts = { volumeMounts: [{ name: 'sidekit-logs', mountPath: '/logs' }] };
  const spec = await created({
    sidecars: ['adapter'],
    spec: { containers: [app(mounts), app({ name: 'second' })] },
  });
  assert.deepEqual(
    spec.containers.map(({ volumeMounts = [] }) => volumeMounts.map(({ mountPath }) => mountPath)),
    [['/logs'], ['/var/log/app']],
  );
});

test('nothing is injected elsewhere, and a label without effect is refused with the reason', async () => {
  await using other = await TestNamespace.create();
  await refused(
    { sidecars: ['ambassador'], namespace: other.name },
    /labelled for ambassador, but has no such container: label the namespace/,
  );
  for (const labels of [
    { 'sidekit.dev/ambassador': 'yes' },
    { 'sidekit.dev/ambassador': 'True' },
    { 'sidekit.dev/ambasador': 'true' },
  ])
    await refused(
      { labels },
      /labelled for ambass?ador, .* write the label as sidekit\.dev\/NAME: "true"/,
    );
  const off = await created({ labels: { 'sidekit.dev/ambassador': 'false' } });
  assert.equal(off.initContainers, undefined);
});

for (const [what, wanted, reason] of [
  ['a path with ..', { 'adapter.sidekit.dev/logs': '/var/../log' }, /must be an absolute path/],
  ['the root', { 'adapter.sidekit.dev/logs': '/' }, /must be an absolute path/],
  ['a relative path', { 'adapter.sidekit.dev/logs': 'var/log' }, /must be an absolute path/],
  ['a line break', { 'adapter.sidekit.dev/logs': '/var\n/log' }, /must be an absolute path.*\/var/],
  ['a colon', { 'adapter.sidekit.dev/logs': '/var:/log' }, /must be an absolute path/],
  [
    'a path of 200 KB',
    { 'adapter.sidekit.dev/logs': `${'/a'.repeat(100_000)}` },
    /at most 4095 characters/,
  ],
  [
    'a path below an existing mount',
    { 'adapter.sidekit.dev/logs': '/data/log' },
    /over an existing mount/,
  ],
  [
    'a path below a mount that is written with a slash at its end',
    { 'adapter.sidekit.dev/logs': '/cache/log' },
    /over an existing mount/,
  ],
  [
    'a misspelled setting',
    { 'adapter.sidekit.dev/log': '/x' },
    /no such setting: adapter\.sidekit\.dev\/log;/,
  ],
  [
    'a setting of another sidecar',
    { 'ambassador.sidekit.dev/listen': ':1' },
    /settings without their sidecar/,
  ],
] as const) {
  test(`${what} is refused with the reason`, () =>
    refused(
      {
        sidecars: ['adapter'],
        annotations: wanted,
        spec: {
          containers: [
            app({
              volumeMounts: [
                { name: 'data', mountPath: '/data' },
                { name: 'data', mountPath: '/cache/' },
              ],
            }),
          ],
          volumes: [{ name: 'data', emptyDir: {} }],
        },
      },
      reason,
    ));
}

test('a path over that of another sidecar is refused', () =>
  refused(
    {
      sidecars: ['adapter', 'file-writer'],
      annotations: { 'adapter.sidekit.dev/logs': '/srv/logs' },
    },
    /over another of these: .*adapter\.sidekit\.dev\/logs=\/srv\/logs/,
  ));

test('a target of the file-writer outside of its volume is refused', () =>
  refused(
    {
      sidecars: ['file-writer'],
      annotations: { 'file-writer.sidekit.dev/target': '/etc/motd' },
    },
    /must be below the volume/,
  ));

test('upstreams over HTTP/2 and Unix sockets are taken', async () => {
  for (const upstream of ['h2c://127.0.0.1:50051', 'unix:/run/app.sock'])
    await created({
      sidecars: ['ambassador'],
      annotations: { 'ambassador.sidekit.dev/upstream': upstream },
    });
});

test('addresses that are none are refused', async () => {
  for (const [key, value] of [
    ['listen', '8080'],
    ['upstream', '127.0.0.1:3000'],
    ['upstream', 'http://127.0.0.1:3000/path'],
  ] as const)
    await refused(
      { sidecars: ['ambassador'], annotations: { [`ambassador.sidekit.dev/${key}`]: value } },
      new RegExp(`ambassador\\.sidekit\\.dev/${key} must be`),
    );
});

test('a sidecar that would do nothing is refused with the annotation that it needs', async () => {
  for (const [sidecar, annotation, reason] of [
    ['wait-for', 'targets', /wait-for has nothing to wait for/],
    ['file-writer', 'target', /the file-writer needs the annotations/],
    ['file-writer', 'files', /no container reads what the file-writer writes/],
    ['adapter', 'logs', /the adapter has no logs to read/],
  ] as const) {
    const all = Object.entries(SETTINGS[sidecar] ?? {}).filter(([key]) => key !== annotation);
    const rest = all.map(([key, value]) => [`${sidecar}.sidekit.dev/${key}`, value]);
    const labels = { [`sidekit.dev/${sidecar}`]: 'true' };
    await refused({ labels, annotations: Object.fromEntries(rest) }, reason);
    if (annotation === 'targets')
      await refused({ labels, annotations: { 'wait-for.sidekit.dev/targets': '' } }, reason);
  }
});

test('the parameters are annotations of a namespace, read for each Pod', async () => {
  const image = async () =>
    (await created({ sidecars: ['ambassador'] })).initContainers?.[0]?.image ?? '';
  const set = (registry: string) =>
    must('kubectl', [
      'annotate',
      '--overwrite',
      'namespace/sidekit',
      `sidekit.dev/registry=${registry}`,
    ]);
  await set('registry.example.org/team');
  try {
    await eventually(
      async () => (await image()).startsWith('registry.example.org/team/ambassador:'),
      {
        what: 'an image of the registry',
      },
    );
  } finally {
    await set('docker.io/sidekit');
  }
});

test('without their parameters the policies refuse, and let other Pods pass', async () => {
  await must('kubectl', ['delete', 'namespace', 'sidekit']);
  try {
    const refuses = async () => (await create({ sidecars: ['ambassador'] })).code === 1;
    await eventually(refuses, { what: 'a refusal', interval: 500 });
    await created({});
  } finally {
    await installPolicies(namespace);
  }
});

test('deleted policies can be applied again, and their parameters are read again', async () => {
  await deletePolicies();
  const plain = async () => (await create({})).code === 0 && (await labelledIsPlain());
  await eventually(plain, { what: 'no policy', interval: 500 });
  await installPolicies(namespace);
  // The API server itself: it would report an informer that was stopped with the last binding.
  assert.match(await must('kubectl', ['get', '--raw', '/readyz?verbose']), /readyz check passed/);
});

/** Whether a labelled Pod gets no sidecar and is not refused. */
async function labelledIsPlain() {
  const { code, stdout } = await create({ sidecars: ['ambassador'] });
  return code === 0 && JSON.parse(stdout).spec.initContainers === undefined;
}
