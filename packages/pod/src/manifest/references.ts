import { availableParallelism, totalmem } from 'node:os';
import { nearest } from '@sidekit/core/tool';
import type { ContainerSpec } from './container-table.ts';
import type { NamedData, PlacedPod, PlacedService, PodObject } from './objects.ts';
import { parseQuantity } from './quantity.ts';
import type { Path } from './reader.ts';

interface References {
  readonly pods: readonly PlacedPod[];
  readonly services: readonly PlacedService[];
  readonly configMaps: readonly NamedData[];
  readonly secrets: readonly NamedData[];
  /** Objects that were named but faulty, as Kind/namespace/name. */
  readonly faulty: ReadonlySet<string>;
}

type Fault = (path: Path, message: string) => void;

/** Checks what one object says of another: volumes, keys, ports, names, the machine's size. */
export function checkReferences(all: References, report: (message: string) => void): void {
  const hostPorts = new Map<string, string>();
  for (const { pod, message } of all.pods) {
    const fault: Fault = (path, text) => report(message(path, text));
    const { spec } = pod;
    containerNames(pod, fault);
    for (const [field, containers] of [
      ['initContainers', spec.initContainers],
      ['containers', spec.containers],
    ] as const) {
      for (const [index, container] of containers.entries()) {
        const at: Path = [field, index];
        mounts(container, pod, at, fault);
        ports(container, at, fault, hostPorts, pod.metadata.name);
        probePorts(container, at, fault);
        environment(container, pod, all, at, fault);
      }
    }
    volumes(pod, all, fault);
    size(pod, fault);
    if (spec.dnsPolicy === 'None' && !spec.dnsConfig?.nameservers.length) {
      fault(['dnsConfig', 'nameservers'], 'required with dnsPolicy: None');
    }
    if (spec.shareProcessNamespace && spec.hostname === '')
      fault(['hostname'], 'must not be empty');
  }
  for (const placed of all.services) servicePorts(placed, all.pods, report);
}

function containerNames({ spec }: PodObject, fault: Fault) {
  const names = new Set(spec.containers.map(({ name }) => name));
  for (const [index, { name }] of spec.initContainers.entries()) {
    if (names.has(name)) {
      fault(
        ['initContainers', index, 'name'],
        `duplicate: ${JSON.stringify(name)} is also the name of a container`,
      );
    }
  }
}

function mounts(container: ContainerSpec, { spec }: PodObject, at: Path, fault: Fault) {
  const known = spec.volumes.map(({ name }) => name);
  for (const [index, { name }] of container.volumeMounts.entries()) {
    if (!known.includes(name)) {
      fault(
        [...at, 'volumeMounts', index, 'name'],
        `${JSON.stringify(name)} is not a volume of the Pod${hint(name, known)}`,
      );
    }
  }
}

function ports(
  container: ContainerSpec,
  at: Path,
  fault: Fault,
  hostPorts: Map<string, string>,
  pod: string,
) {
  const names = new Set<string>();
  for (const [index, { name, hostPort, hostIP, protocol }] of container.ports.entries()) {
    if (name !== undefined && names.has(name)) {
      fault([...at, 'ports', index, 'name'], `duplicate: ${JSON.stringify(name)}`);
    }
    if (name !== undefined) names.add(name);
    if (!hostPort) continue;
    const key = `${protocol} ${hostIP ?? ''}:${hostPort}`;
    const user = hostPorts.get(key);
    if (user) fault([...at, 'ports', index, 'hostPort'], `${hostPort} is already taken by ${user}`);
    hostPorts.set(key, `container ${container.name} of Pod ${pod}`);
  }
}

function probePorts(container: ContainerSpec, at: Path, fault: Fault) {
  const known = container.ports.flatMap(({ name }) => (name === undefined ? [] : [name]));
  const places: [Path, { readonly port: number | string } | undefined][] = [];
  for (const probe of ['startupProbe', 'readinessProbe', 'livenessProbe'] as const) {
    places.push([[probe, 'httpGet', 'port'], container[probe]?.httpGet]);
    places.push([[probe, 'tcpSocket', 'port'], container[probe]?.tcpSocket]);
  }
  for (const hook of ['postStart', 'preStop'] as const) {
    places.push([['lifecycle', hook, 'httpGet', 'port'], container.lifecycle?.[hook]?.httpGet]);
  }
  for (const [path, handler] of places) {
    if (typeof handler?.port !== 'string' || known.includes(handler.port)) continue;
    fault(
      [...at, ...path],
      `${JSON.stringify(handler.port)} is not the name of a port of this container${hint(handler.port, known)}`,
    );
  }
}

function environment(
  container: ContainerSpec,
  pod: PodObject,
  all: References,
  at: Path,
  fault: Fault,
) {
  for (const [index, { configMapRef, secretRef }] of container.envFrom.entries()) {
    const path = [...at, 'envFrom', index];
    if (configMapRef)
      reference('ConfigMap', configMapRef, undefined, pod, all, [...path, 'configMapRef'], fault);
    if (secretRef)
      reference('Secret', secretRef, undefined, pod, all, [...path, 'secretRef'], fault);
  }
  for (const [index, { valueFrom }] of container.env.entries()) {
    const path = [...at, 'env', index, 'valueFrom'];
    const { configMapKeyRef: map, secretKeyRef: secret } = valueFrom ?? {};
    if (map) reference('ConfigMap', map, map.key, pod, all, [...path, 'configMapKeyRef'], fault);
    if (secret) reference('Secret', secret, secret.key, pod, all, [...path, 'secretKeyRef'], fault);
    containerReference(
      valueFrom?.resourceFieldRef?.containerName,
      pod,
      [...path, 'resourceFieldRef'],
      fault,
    );
  }
}

function containerReference(
  name: string | undefined,
  { spec }: PodObject,
  path: Path,
  fault: Fault,
) {
  const known = [...spec.initContainers, ...spec.containers].map((container) => container.name);
  if (name === undefined || known.includes(name)) return;
  fault(
    [...path, 'containerName'],
    `${JSON.stringify(name)} is not a container of the Pod${hint(name, known)}`,
  );
}

function reference(
  kind: 'ConfigMap' | 'Secret',
  { name, optional }: { readonly name: string; readonly optional: boolean },
  key: string | undefined,
  { metadata: { namespace } }: PodObject,
  all: References,
  path: Path,
  fault: Fault,
) {
  if (optional || all.faulty.has(`${kind}/${namespace}/${name}`)) return;
  const objects = (kind === 'ConfigMap' ? all.configMaps : all.secrets).filter(
    (object) => object.namespace === namespace,
  );
  const object = objects.find((one) => one.name === name);
  if (!object) {
    const names = objects.map((one) => one.name);
    fault(
      [...path, 'name'],
      `${JSON.stringify(name)} is not a ${kind} of these manifests${hint(name, names)}`,
    );
  } else if (key !== undefined && !Object.hasOwn(object.data, key)) {
    const keys = Object.keys(object.data);
    fault(
      [...path, 'key'],
      `${JSON.stringify(key)} is not a key of ${kind} ${name}${hint(key, keys)}`,
    );
  }
}

function volumes(pod: PodObject, all: References, fault: Fault) {
  for (const [index, volume] of pod.spec.volumes.entries()) {
    const at: Path = ['volumes', index];
    const { configMap, secret, downwardAPI, projected } = volume;
    if (configMap)
      volumeSource(
        'ConfigMap',
        configMap,
        configMap.name,
        pod,
        all,
        [...at, 'configMap'],
        'name',
        fault,
      );
    if (secret)
      volumeSource(
        'Secret',
        secret,
        secret.secretName,
        pod,
        all,
        [...at, 'secret'],
        'secretName',
        fault,
      );
    for (const [item, { resourceFieldRef }] of (downwardAPI?.items ?? []).entries()) {
      containerReference(
        resourceFieldRef?.containerName,
        pod,
        [...at, 'downwardAPI', 'items', item, 'resourceFieldRef'],
        fault,
      );
    }
    for (const [part, source] of (projected?.sources ?? []).entries()) {
      const path = [...at, 'projected', 'sources', part];
      if (source.configMap)
        volumeSource(
          'ConfigMap',
          source.configMap,
          source.configMap.name,
          pod,
          all,
          [...path, 'configMap'],
          'name',
          fault,
        );
      if (source.secret)
        volumeSource(
          'Secret',
          source.secret,
          source.secret.name,
          pod,
          all,
          [...path, 'secret'],
          'name',
          fault,
        );
    }
  }
}

function volumeSource(
  kind: 'ConfigMap' | 'Secret',
  source: {
    readonly optional: boolean;
    readonly items?: readonly { readonly key: string }[] | undefined;
  },
  name: string,
  pod: PodObject,
  all: References,
  path: Path,
  nameField: string,
  fault: Fault,
) {
  const { optional } = source;
  let known = true;
  reference(kind, { name, optional }, undefined, pod, all, path, (_, message) => {
    known = false;
    fault([...path, nameField], message);
  });
  if (!known) return;
  for (const [index, { key }] of (source.items ?? []).entries()) {
    reference(kind, { name, optional }, key, pod, all, path, (_, message) =>
      fault([...path, 'items', index, 'key'], message),
    );
  }
}

/** What the scheduler would say: a Pod that asks for more than the machine has never starts. */
function size({ spec }: PodObject, fault: Fault) {
  const machine = { cpu: availableParallelism(), memory: totalmem() };
  for (const resource of ['cpu', 'memory'] as const) {
    const request = ({ resources }: ContainerSpec) =>
      parseQuantity(resources.requests[resource] ?? resources.limits[resource] ?? 0);
    const sidecars = spec.initContainers.filter(({ restartPolicy }) => restartPolicy === 'Always');
    const asked = [...spec.containers, ...sidecars].reduce((sum, one) => sum + request(one), 0);
    const most = Math.max(asked, ...spec.initContainers.map(request));
    if (most <= machine[resource]) continue;
    const shown = (amount: number) =>
      resource === 'cpu' ? `${amount}` : `${Math.ceil(amount / 2 ** 20)}Mi`;
    fault(
      ['containers'],
      `insufficient ${resource}: the Pod requests ${shown(most)}, this machine has ${shown(machine[resource])}`,
    );
  }
}

function servicePorts(
  { service, message }: PlacedService,
  pods: readonly PlacedPod[],
  report: (message: string) => void,
) {
  const chosen = pods.filter(
    ({ pod }) =>
      pod.metadata.namespace === service.metadata.namespace &&
      selects(service.selector, pod.metadata.labels),
  );
  if (chosen.length === 0) {
    if (pods.length > 0) {
      report(message(['spec', 'selector'], 'selects no Pod of these manifests'));
    }
    return;
  }
  for (const [index, { targetPort }] of service.ports.entries()) {
    if (typeof targetPort !== 'string') continue;
    const names = chosen.flatMap(({ pod }) =>
      [...pod.spec.containers, ...pod.spec.initContainers].flatMap(({ ports: all }) =>
        all.flatMap(({ name }) => (name === undefined ? [] : [name])),
      ),
    );
    if (names.includes(targetPort)) continue;
    report(
      message(
        ['spec', 'ports', index, 'targetPort'],
        `${JSON.stringify(targetPort)} is not the name of a port of the selected Pods${hint(targetPort, names)}`,
      ),
    );
  }
}

/** Whether labels match a selector of equalities; an empty one selects nothing. */
export function selects(
  selector: Readonly<Record<string, string>>,
  labels: Readonly<Record<string, string>>,
): boolean {
  const wanted = Object.entries(selector);
  return wanted.length > 0 && wanted.every(([key, value]) => labels[key] === value);
}

/** A port by number, or by the name that one of the containers gives it. */
export function portNumber(
  containers: readonly Pick<ContainerSpec, 'ports'>[],
  port: number | string,
): number | undefined {
  if (typeof port === 'number') return port;
  return containers.flatMap(({ ports }) => ports).find(({ name }) => name === port)?.containerPort;
}

function hint(name: string, known: readonly string[]): string {
  const text = nearest(name, known);
  return text ? `: ${text}` : '';
}
