import assert from 'node:assert/strict';
import { test } from 'node:test';
import { podOf } from '../lifecycle/testing/simulation.ts';
import { addressesOf } from './addresses.ts';

function addresses(ports: string, service: object = {}, target = 0): string[] {
  const pod = podOf(`containers: [{name: a, image: x, ports: [${ports}]}]`);
  const own = pod.spec.containers[0]?.ports.map(({ containerPort }) => containerPort) ?? [];
  const port = { name: undefined, port: 80, target: target || (own[0] ?? 0), host: 1, ...service };
  return addressesOf({
    pod,
    services: [{ name: 's', namespace: 'default', always: false, ports: [port] }],
    forwards: own.map((containerPort) => ({ containerPort, host: 2 })),
    hostPorts: [],
  }).map((line) => line.replace(/^.*? {2}|:\/\/.*$/g, ''));
}

test('an address is https if appProtocol, a name, or else the number of a port says so', () => {
  const plain = ['http', 'http'];
  const tls = ['https', 'https'];
  assert.deepEqual(addresses('{containerPort: 8080}'), plain);
  assert.deepEqual(addresses('{containerPort: 8080, name: httpsish}'), plain);
  assert.deepEqual(addresses('{containerPort: 8443, name: http}'), plain);
  assert.deepEqual(addresses('{containerPort: 8443}'), tls);
  assert.deepEqual(addresses('{containerPort: 443, name: web}'), tls);
  assert.deepEqual(addresses('{containerPort: 8080, name: https}'), tls);
  assert.deepEqual(addresses('{containerPort: 8080, name: https-admin}'), tls);
});

test("a Service's appProtocol and its port's name come before those of the container", () => {
  const [appProtocol] = addresses('{containerPort: 8080, name: http}', { appProtocol: 'https' });
  assert.equal(appProtocol, 'https');
  const [named] = addresses('{containerPort: 8080, name: http}', { name: 'https' });
  assert.equal(named, 'https');
  const [said] = addresses('{containerPort: 8443, name: https}', { appProtocol: 'http' });
  assert.equal(said, 'http');
  const [number] = addresses('{containerPort: 8080}', { port: 443 });
  assert.equal(number, 'https');
});
