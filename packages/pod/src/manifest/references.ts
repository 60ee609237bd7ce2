import { nearest, type Report } from '@sidekit/core';
import { parseQuantity } from './quantity.ts';
import type { ContainerSpec, DataObjects, PodObject, Probe, Workload } from './types.ts';

/** Checks what one field says of another: names of volumes, keys, ports, and amounts. */
export function checkReferences(workload: Workload, report: Report): void {
  const names = new Map<string, number>();
  const hostPorts = new Map<number, string>();
  for (const pod of workload.pods) {
    const { name } = pod.metadata;
    names.set(name, (names.get(name) ?? 0) + 1);
    if (names.get(name) === 2) {
      report({ name: `Pod ${name}`, rule: 'is there twice', remedy: 'give each Pod its own name' });
    }
    checkPod(pod, workload, (fault) => report({ ...fault, name: `Pod ${name} ${fault.name}` }));
    checkHostPorts(pod, hostPorts, report);
  }
  for (const service of workload.services) {
    const matches = workload.pods.filter((pod) => selects(service.selector, pod.metadata.labels));
    if (matches.length === 0) {
      report({
        name: `Service ${service.metadata.name} spec.selector`,
        value: service.selector,
        rule: 'selects no Pod of these files',
        remedy: 'use labels that a Pod has',
      });
    }
    for (const [i, port] of service.ports.entries()) {
      if (typeof port.targetPort !== 'string' || matches.length === 0) continue;
      if (
        matches.some(
          (pod) =>
            portNumber(
              pod.spec.containers.concat(pod.spec.initContainers ?? []),
              port.targetPort,
            ) !== undefined,
        )
      )
        continue;
      report({
        name: `Service ${service.metadata.name} spec.ports[${i}].targetPort`,
        value: port.targetPort,
        rule: 'is the name of no port of its Pods',
      });
    }
  }
}

/** Whether a selector's every label is there with its value. */
export function selects(
  selector: Readonly<Record<string, string>>,
  labels: Readonly<Record<string, string>>,
): boolean {
  const wanted = Object.entries(selector);
  return wanted.length > 0 && wanted.every(([key, value]) => labels[key] === value);
}

/** The number of a port given by number or name among containers. */
export function portNumber(
  containers: readonly ContainerSpec[],
  port: number | string,
): number | undefined {
  if (typeof port === 'number') return port;
  return containers.flatMap(({ ports }) => ports ?? []).find(({ name }) => name === port)
    ?.containerPort;
}

function checkPod({ spec }: PodObject, workload: Workload, report: Report) {
  const volumes = (spec.volumes ?? []).map(({ name }) => name);
  const all = [
    ...(spec.initContainers ?? []).map(
      (container, i) => [container, `spec.initContainers[${i}]`] as const,
    ),
    ...spec.containers.map((container, i) => [container, `spec.containers[${i}]`] as const),
  ];
  const seen = new Set<string>();
  for (const [container, path] of all) {
    if (seen.has(container.name)) {
      report({
        name: `${path}.name`,
        value: container.name,
        rule: 'is already the name of another container of the Pod',
      });
    }
    seen.add(container.name);
    for (const [i, mount] of (container.volumeMounts ?? []).entries()) {
      if (volumes.includes(mount.name)) continue;
      report({
        name: `${path}.volumeMounts[${i}].name`,
        value: mount.name,
        rule: 'is no volume of the Pod',
        remedy: nearest(mount.name, volumes) ?? 'add it to spec.volumes',
      });
    }
    checkEnvironment(container, path, workload, report);
    checkProbes(container, path, report);
    checkResources(container, path, report);
  }
  for (const [i, volume] of (spec.volumes ?? []).entries()) {
    const path = `spec.volumes[${i}]`;
    const sources = [volume, ...(volume.projected?.sources ?? [])];
    for (const source of sources) {
      const { configMap, secret } = source;
      if (configMap)
        checkData(
          'ConfigMap',
          workload.configMaps,
          configMap.name,
          configMap.optional,
          configMap.items?.map(({ key }) => key),
          path,
          report,
        );
      const name = secret && ('secretName' in secret ? secret.secretName : secret.name);
      if (secret && name)
        checkData(
          'Secret',
          workload.secrets,
          name,
          secret.optional,
          secret.items?.map(({ key }) => key),
          path,
          report,
        );
    }
  }
}

function checkEnvironment(
  container: ContainerSpec,
  path: string,
  workload: Workload,
  report: Report,
) {
  for (const [i, { value, valueFrom }] of (container.env ?? []).entries()) {
    const at = `${path}.env[${i}]`;
    if (value !== undefined && valueFrom)
      report({ name: at, rule: 'has both value and valueFrom', remedy: 'keep one' });
    const { configMapKeyRef, secretKeyRef } = valueFrom ?? {};
    if (configMapKeyRef)
      checkData(
        'ConfigMap',
        workload.configMaps,
        configMapKeyRef.name,
        configMapKeyRef.optional,
        [configMapKeyRef.key],
        at,
        report,
      );
    if (secretKeyRef)
      checkData(
        'Secret',
        workload.secrets,
        secretKeyRef.name,
        secretKeyRef.optional,
        [secretKeyRef.key],
        at,
        report,
      );
  }
  for (const [i, { configMapRef, secretRef }] of (container.envFrom ?? []).entries()) {
    const at = `${path}.envFrom[${i}]`;
    if (configMapRef)
      checkData(
        'ConfigMap',
        workload.configMaps,
        configMapRef.name,
        configMapRef.optional,
        [],
        at,
        report,
      );
    if (secretRef)
      checkData('Secret', workload.secrets, secretRef.name, secretRef.optional, [], at, report);
  }
}

function checkData(
  kind: string,
  objects: DataObjects,
  name: string,
  optional: boolean | undefined,
  keys: readonly string[] | undefined,
  path: string,
  report: Report,
) {
  if (optional) return;
  const data = objects[name];
  if (!data) {
    report({
      name: path,
      value: name,
      rule: `names a ${kind} that these files do not hold`,
      remedy: nearest(name, Object.keys(objects)) ?? `add the ${kind}`,
    });
    return;
  }
  for (const key of keys ?? []) {
    if (Object.hasOwn(data, key)) continue;
    report({
      name: path,
      value: key,
      rule: `is no key of ${kind} ${name}`,
      remedy: nearest(key, Object.keys(data)),
    });
  }
}

function checkProbes(container: ContainerSpec, path: string, report: Report) {
  const sidecarOrMain = !path.includes('initContainers') || container.restartPolicy === 'Always';
  for (const kind of ['startupProbe', 'readinessProbe', 'livenessProbe'] as const) {
    const probe: Probe | undefined = container[kind];
    if (!probe) continue;
    if (!sidecarOrMain)
      report({
        name: `${path}.${kind}`,
        rule: 'must not be set for an init container',
        remedy: 'restartPolicy: Always would make it a sidecar',
      });
    if (kind !== 'readinessProbe' && (probe.successThreshold ?? 1) !== 1) {
      report({
        name: `${path}.${kind}.successThreshold`,
        value: probe.successThreshold,
        rule: 'must be 1',
      });
    }
    const port = probe.httpGet?.port ?? probe.tcpSocket?.port;
    if (port !== undefined && portNumber([container], port) === undefined) {
      report({
        name: `${path}.${kind}`,
        value: port,
        rule: 'is the name of no port of the container',
      });
    }
  }
  if (!sidecarOrMain && container.lifecycle) {
    report({ name: `${path}.lifecycle`, rule: 'must not be set for an init container' });
  }
}

function checkResources({ resources }: ContainerSpec, path: string, report: Report) {
  for (const [name, request] of Object.entries(resources?.requests ?? {})) {
    const limit = resources?.limits?.[name];
    if (limit === undefined || (parseQuantity(request) ?? 0) <= (parseQuantity(limit) ?? 0))
      continue;
    report({
      name: `${path}.resources.requests.${name}`,
      value: request,
      rule: `must be at most its limit ${limit}`,
    });
  }
}

function checkHostPorts({ metadata, spec }: PodObject, taken: Map<number, string>, report: Report) {
  for (const container of [...(spec.initContainers ?? []), ...spec.containers]) {
    for (const { hostPort } of container.ports ?? []) {
      if (hostPort === undefined) continue;
      const owner = `${metadata.name}/${container.name}`;
      const other = taken.get(hostPort);
      if (other)
        report({
          name: `Pod ${metadata.name} container ${container.name} hostPort`,
          value: hostPort,
          rule: `is already taken by ${other}`,
          remedy: 'choose another port',
        });
      else taken.set(hostPort, owner);
    }
  }
}
