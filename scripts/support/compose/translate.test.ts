import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Container, KubernetesObject, PodSpec } from './kubernetes.ts';
import { translate } from './translate.ts';

const app: Container = { name: 'app', image: 'sidekit/webapp:1' };

function pod(spec: Partial<PodSpec>): KubernetesObject {
  const metadata = { name: 'shop', labels: { app: 'shop' } };
  return { kind: 'Pod', metadata, spec: { containers: [app], ...spec } };
}

function parts(...objects: KubernetesObject[]) {
  return translate(objects, 'shop', 'pause:1', 'files');
}

function service(name: string, ...objects: KubernetesObject[]): Record<string, unknown> {
  const found = parts(...objects).services[name];
  assert.ok(found, `there is no service ${name}`);
  return found;
}

test('containers of a Pod share the network and the IPC namespace of its pause service', () => {
  const { ipc, network_mode, profiles } = service('shop-app', pod({}));
  assert.deepEqual([ipc, network_mode, profiles], ['service:shop', 'service:shop', ['shop']]);
  assert.equal(service('shop', pod({})).ipc, 'shareable');
  assert.equal(service('shop', pod({})).hostname, 'shop');
});

test('init containers end, and native sidecars are healthy, before the next one starts', () => {
  const startupProbe = { httpGet: { path: '/startupz', port: 'admin' }, periodSeconds: 1 };
  const ports = [{ name: 'admin', containerPort: 9903 }];
  const initContainers: Container[] = [
    { ...app, name: 'load' },
    { ...app, name: 'sync', restartPolicy: 'Always', startupProbe, ports },
  ];
  const object = pod({ initContainers });
  assert.deepEqual(service('shop-sync', object).depends_on, {
    shop: { condition: 'service_started' },
    'shop-load': { condition: 'service_completed_successfully' },
  });
  assert.deepEqual(service('shop-app', object).depends_on, {
    shop: { condition: 'service_started' },
    'shop-load': { condition: 'service_completed_successfully' },
    'shop-sync': { condition: 'service_healthy' },
  });
  assert.match(
    JSON.stringify(service('shop-sync', object).healthcheck),
    /127\.0\.0\.1:9903\/start/,
  );
});

test('a container without a start-up probe is asked by its readiness probe', () => {
  const readinessProbe = { httpGet: { path: '/readyz', port: 9900 }, periodSeconds: 2 };
  const { healthcheck } = service('shop-app', pod({ containers: [{ ...app, readinessProbe }] }));
  assert.match(JSON.stringify(healthcheck), /127\.0\.0\.1:9900\/readyz.*"interval":"2s"/);
});

test('a gRPC probe asks for the health of its service', () => {
  const startupProbe = { grpc: { port: 8080, service: 'demo.Echo' } };
  const { healthcheck } = service('shop-app', pod({ containers: [{ ...app, startupProbe }] }));
  const request = Buffer.from('\0\0\0\0\x0b\n\x09demo.Echo').toString('hex');
  assert.match(JSON.stringify(healthcheck), new RegExp(`127\\.0\\.0\\.1:8080.*${request}`));
});

test('an emptyDir is a volume that belongs to the user of the Pod and keeps its limit', () => {
  const { volumes } = parts(
    pod({
      securityContext: { runAsUser: 20901 },
      volumes: [{ name: 'html', emptyDir: { sizeLimit: '16Mi' } }],
    }),
  );
  const { driver_opts } = volumes['shop-html'] as { driver_opts: { o: string } };
  assert.equal(driver_opts.o, 'size=16m,uid=20901,gid=20901,mode=0770');
});

test('a ConfigMap and the labels of a Pod become files', () => {
  const volumes = [
    { name: 'config', configMap: { name: 'settings' } },
    {
      name: 'pod',
      downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] },
    },
  ];
  const map: KubernetesObject = {
    kind: 'ConfigMap',
    metadata: { name: 'settings' },
    data: { 'a.yaml': 'a: 1\n' },
  };
  assert.deepEqual(parts(pod({ volumes }), map).files, {
    'files/shop/config/a.yaml': 'a: 1\n',
    'files/shop/pod/labels': 'app="shop"',
  });
});

test('a Service is a name of the Pod that it selects', () => {
  const front: KubernetesObject = {
    kind: 'Service',
    metadata: { name: 'front' },
    spec: { selector: { app: 'shop' } },
  };
  const other: KubernetesObject = {
    ...front,
    metadata: { name: 'x' },
    spec: { selector: { a: 'b' } },
  };
  assert.deepEqual(service('shop', pod({}), front, other).networks, {
    default: { aliases: ['front'] },
  });
});

test('a dollar sign in an argument stays one', () => {
  const object = pod({ containers: [{ ...app, args: ['^a$', '$HOME'] }] });
  assert.deepEqual(service('shop-app', object).command, ['^a$$', '$$HOME']);
});

test('what compose cannot say is refused by name', () => {
  assert.throws(() => parts(pod({ volumes: [{ name: 'keys' }] })), /volume keys: only emptyDir/);
  assert.throws(
    () => parts(pod({ volumes: [{ name: 'c', configMap: { name: 'gone' } }] })),
    /no ConfigMap gone/,
  );
  const claim = { kind: 'Job', metadata: { name: 's' } } as unknown as KubernetesObject;
  assert.throws(() => parts(claim), /Job cannot be said/);
});

test('the ports of containers and native sidecars are published, and those a Pod shows', () => {
  const port = (name: string, containerPort: number) => ({ name, containerPort });
  const object = pod({
    initContainers: [
      { ...app, name: 'load', ports: [port('http', 1)] },
      {
        ...app,
        name: 'proxy',
        restartPolicy: 'Always',
        ports: [port('http', 8080), port('admin-proxy', 9901)],
      },
    ],
    containers: [{ ...app, ports: [port('http', 5000)] }],
  });
  const annotations = { 'sidekit.dev/shows': 'GET 8080/: Hello\nGET 5001/x: there\n' };
  const shown = { ...object, metadata: { ...object.metadata, annotations } };
  const published = (ports: number[]) => ports.map((one) => `127.0.0.1::${one}`);
  assert.deepEqual(service('shop', object).ports, published([8080, 5000]));
  assert.deepEqual(service('shop', shown as KubernetesObject).ports, published([8080, 5000, 5001]));
});

test('$(NAME) in arguments and variables is what the container knows, as in a Pod', () => {
  const env = [
    { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
    { name: 'GREETING', value: 'I am $(POD_NAME)' },
  ];
  const args = ['$(POD_NAME)', '$(UNKNOWN)', '$$(POD_NAME)', '$HOME'];
  const { command, environment } = service(
    'shop-app',
    pod({ containers: [{ ...app, env, args } as Container] }),
  );
  assert.deepEqual(environment, ['POD_NAME=shop', 'GREETING=I am shop']);
  // What remains of a dollar sign is doubled, since compose has variables of its own.
  assert.deepEqual(command, ['shop', '$$(UNKNOWN)', '$$(POD_NAME)', '$$HOME']);
});
