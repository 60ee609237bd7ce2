import { availableParallelism, totalmem } from 'node:os';
import type { ContainerSpec } from './container-table.ts';
import { environment, volumes } from './data-references.ts';
import type { PodObject } from './objects.ts';
import { ports, probePorts, servicePorts } from './port-references.ts';
import { parseQuantity } from './quantity.ts';
import type { Path } from './reader.ts';
import { type Fault, hint, type References } from './reference-faults.ts';

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
